# SPDX-License-Identifier: Apache-2.0
"""Where one IKE SA may go; whole moves are in ``protocol/test_mobike.py``."""

from protocol.roaming import AWAY, CLIENT, ELSEWHERE, GATEWAY, HOME, SECOND, SERVES, Roaming, said

from ringfence.ike.dispatch import header_of
from ringfence.ike.v2.channel import is_response
from ringfence.net.address import Endpoint, Path, format_address, parse_address


def session(host):
    (found,) = host.engine._sessions
    return found


def words(paths):
    return [(format_address(path.local.address), format_address(path.remote.address)) for path in paths]


def both_with(client=CLIENT, server=SERVES):
    """The client's policy lets the gateway be anywhere; its rule names it by one address."""
    both = Roaming(client, server)
    spd, _ = client.compiled()
    both.network.do(both.client, both.client.engine.apply(spd, client.with_(roams="0.0.0.0/0").compiled()[1], 0.0))
    return both.begin()


def test_by_which_paths_it_is_tried():
    both = both_with(CLIENT.with_(own=(HOME, AWAY)), SERVES.with_(own=(GATEWAY, SECOND)))
    moving = session(both.client).moving
    assert moving.may
    assert moving.leads
    assert words(moving._paths()) == [(AWAY, GATEWAY), (HOME, SECOND), (AWAY, SECOND)]
    assert {path.remote.port for path in moving._paths()} == {4500}
    assert session(both.server).moving._paths() == [], "who decides tries"


def test_by_none_that_the_policy_does_not_have():
    both = Roaming(CLIENT.with_(own=(HOME, AWAY)), SERVES.with_(own=(GATEWAY, SECOND))).begin()
    assert words(session(both.client).moving._paths()) == [(AWAY, GATEWAY)]


def test_home_is_where_the_peer_proved_who_it_is():
    both = Roaming().begin()
    for address in (AWAY, ELSEWHERE):
        both.arrive(address)
        both.run()
    found = session(both.server)
    assert format_address(found.home.remote.address) == HOME
    assert format_address(found.path.remote.address) == ELSEWHERE
    assert [sa.begun_at for sa in both.server.engine.ike_sas()] == [HOME]
    assert [sa.begun_at for sa in both.client.engine.ike_sas()] == [""]


def test_nothing_is_negotiated_with_who_has_yet_to_show_where_it_is():
    both = Roaming().begin()
    both.arrive(AWAY)
    both.run(0.015)
    assert session(both.server).moving.is_unproven
    both.network.passes = lambda datagram, path: (
        format_address(path.local.address) == GATEWAY or not is_response(header_of(datagram))
    )
    child = both.client.using()
    both.network.do(both.client, both.client.engine.rekey_child(child.id, both.network.now, "test"))
    both.run(0.2)
    assert "N(TEMPORARY_FAILURE)" in said(both.server)


def test_an_answer_by_a_path_that_nobody_tried_moves_nothing():
    both = Roaming().begin()
    found = session(both.client)
    before = found.path
    found._voice.came_by = Path(before.local, Endpoint(parse_address(ELSEWHERE), 4500))
    found.moving._arrived()
    assert found.path == before
