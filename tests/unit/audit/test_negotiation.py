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


def test_another_protocol_is_told() -> None:
    event = audit.KeyingChanged(peer="10.0.0.2", rule="lab", was="ikev2", now="ikev1", why="no answer")
    assert str(event) == 'IKEv1 instead of IKEv2 with 10.0.0.2, as rule "lab" allows: no answer'
    assert event.fields()["event"] == "keying-changed"


def test_and_that_another_is_not_tried() -> None:
    event = audit.KeyingKept(peer="10.0.0.2", rule="lab", keying="ikev2", instead="ikev1")
    words = 'IKEv1 is not tried with 10.0.0.2, though rule "lab" allows it: it spoke IKEv2 within the last hour'
    assert str(event) == words


def test_an_ike_sa_of_ikev2_is_no_main_mode() -> None:
    event = audit.MainModeEstablished(
        ike_id=1, peer="10.0.0.2", local_identity="a", remote_identity="10.0.0.2", proposal="p", initiator=True,
        rule="lab", lifetime_s=None, keying="ikev2",
    )  # fmt: skip
    assert str(event) == "IKEv2 SA with 10.0.0.2, p"
    ended = audit.MainModeEnded(ike_id=1, peer="10.0.0.2", why="rekeyed", keying="ikev2")
    assert str(ended) == "IKEv2 SA with 10.0.0.2 ended: rekeyed"


def test_a_failure_says_by_which_protocol() -> None:
    failed = audit.QuickModeFailed(peer="10.0.0.2", reason="r", detail="no", initiator=True, keying="ikev2")
    assert str(failed) == "IKEv2 quick mode with 10.0.0.2 failed: no"
    assert str(replace(failed, keying="ikev1")) == "quick mode with 10.0.0.2 failed: no"


def test_an_ike_sa_that_goes_by_other_addresses() -> None:
    event = audit.SaMoved(
        ike_id=1, peer="192.0.2.2", was="192.0.2.1 <-> 192.0.2.2", now="198.51.100.7 <-> 192.0.2.2", children=2
    )  # fmt: skip
    assert str(event) == (
        "IKEv2 SA with 192.0.2.2 goes by 198.51.100.7 <-> 192.0.2.2 instead of 192.0.2.1 <-> 192.0.2.2"
    )
    assert event.fields()["event"] == "sa-moved"
