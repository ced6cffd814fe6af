# SPDX-License-Identifier: Apache-2.0
"""Events of key exchange."""

from dataclasses import replace

from ringfence import audit
from ringfence.databases.comparison import Terms, compare


def test_an_identity_that_is_the_address_is_not_said_twice() -> None:
    event = audit.MainModeEstablished(
        ike_id=1, peer="10.0.0.2", local_identity="a", remote_identity="10.0.0.2", proposal="p", initiator=True,
        rule="lab", lifetime_s=None,
    )  # fmt: skip
    assert str(event) == "main mode SA with 10.0.0.2, p"
    assert str(replace(event, remote_identity="bob.lab")) == "main mode SA with 10.0.0.2 (bob.lab), p"


def test_a_comparison_is_one_line_for_a_machine() -> None:
    found = compare("x", [Terms((("hash", "sha1"),))], [Terms((("hash", "sha256"),))])
    event = audit.MainModeFailed(peer="p", reason="r", detail="d", initiator=True, comparison=found)
    assert event.fields()["comparison"] == "hash: it has sha1, we take sha256"
    assert replace(event, comparison=None).fields()["comparison"] is None
