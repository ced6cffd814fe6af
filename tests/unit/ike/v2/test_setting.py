# SPDX-License-Identifier: Apache-2.0
"""What an IKE SA begins with comes from where it is made."""

from protocol.pairs import POLICY, pair

from ringfence.net.address import format_address


def test_a_session_says_where_it_is_and_with_whom() -> None:
    both = pair(POLICY.with_(keying=(2,)))
    both.wish(both.a)
    both.run(5)
    (session,) = both.a.engine._sessions
    setting = session._setting(lambda: False, anew=True)
    assert setting.ike_id == session.id
    assert [format_address(end.address) for end in (setting.path.local, setting.path.remote)] == [
        "192.0.2.1",
        "192.0.2.2",
    ]
    assert setting.spis == session.cookies
    assert setting.entries == session.entries
    assert (setting.tickets.anew, setting.first_contact()) == (True, False)
