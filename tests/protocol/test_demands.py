# SPDX-License-Identifier: Apache-2.0
"""What filters ask of SAs, asked of every packet that comes in by one."""

from dataclasses import replace

import pytest

from protocol.packets_out import GCM, datagram, packets_of
from ringfence.crypto.suites import DhGroup, Encryption, Integrity
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.demand import Demand, Grant
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import SecurityMethod
from ringfence.databases.spd import Spd
from ringfence.datapath.verdict import Deliver, Drop, Dropped
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child, make_entry, make_path, mirrored


def reasons(verdicts):
    return [verdict.reason if type(verdict) is Dropped else type(verdict) for verdict in verdicts]


ALICE = Identity.parse("alice.example")
FOR_ALICE = Demand((Grant("f", admission=Admission((Pattern("alice.example"),))),))
NOT_FOR_ALICE = Demand((Grant("f", admission=Admission(deny=(Pattern("alice.*"),))),))
ENCRYPTED = Demand((Grant("f", encrypted=True),))
NULL = esp_suite(Encryption.NULL, Integrity.HMAC_SHA256_128)


@pytest.mark.parametrize(
    ("suite", "demand", "reason"),
    [
        (GCM, FOR_ALICE, None),
        (GCM, NOT_FOR_ALICE, Drop.NOT_AUTHORIZED),
        (GCM, ENCRYPTED, None),
        (NULL, ENCRYPTED, Drop.NOT_ENCRYPTED),
    ],
)  # fmt: skip
@pytest.mark.parametrize("whose", ["wide", "own", "gone"])
def test_what_a_filter_asks_is_asked_of_every_sa(suite, demand, reason, whose):
    """Of that of the rule, of the entry's own, and at once also when the policy has changed under it."""
    theirs = make_child(suite)
    ours = replace(mirrored(theirs), peer=ALICE, entry="asked" if whose == "own" else theirs.entry)
    sender, receiver = make_path(theirs), make_path(ours)
    wide = make_entry(ours.selector, name=theirs.entry, clear_in=True, clear_out=True)
    asked = replace(make_entry(ours.selector, name="asked"), demand=demand)
    receiver.apply(Spd((wide,)), 0.0)
    sealed = [packets_of(sender.outbound([datagram()], 0.0)) for _ in range(3)]
    assert reasons(receiver.inbound(sealed[0], 0.0)) == [Deliver], "the flow is known now"
    receiver.apply(Spd((asked, wide)[: 1 if whose == "gone" else 2]), 0.0)
    for packets in sealed[1:]:
        assert reasons(receiver.inbound(packets, 0.0)) == [reason or Deliver]


def test_another_form_of_protection_does_not_do_for_a_filter_either():
    theirs, ours = make_child(GCM), replace(mirrored(make_child(GCM)), peer=ALICE)
    sender, receiver = make_path(theirs), make_path(ours)
    wide, asked = make_entry(ours.selector, name=ours.entry), make_entry(ours.selector, name="asked")
    for other in (
        replace(asked, peer="another", demand=FOR_ALICE),
        replace(asked, processing=replace(asked.processing, pfs=DhGroup.ECP_256), demand=FOR_ALICE),
    ):
        receiver.apply(Spd((other, wide)), 0.0)
        sealed = packets_of(sender.outbound([datagram()], 0.0))
        assert reasons(receiver.inbound(sealed, 0.0)) == [Drop.SELECTOR_MISMATCH]


def test_an_sa_that_a_filter_asked_for_serves_the_rule_where_its_methods_do():
    theirs, ours = make_child(GCM), replace(mirrored(make_child(GCM)), entry="asked")
    sender, receiver = make_path(theirs), make_path(ours)
    strong, weak = SecurityMethod((GCM,)), SecurityMethod((NULL,))
    wide = make_entry(ours.selector, name="wide", clear_in=True)
    asked = replace(make_entry(ours.selector, name="asked"), demand=ENCRYPTED)
    asked = replace(asked, processing=replace(asked.processing, methods=(strong,)))
    for methods, reason in (((weak, strong), Deliver), ((weak,), Drop.SELECTOR_MISMATCH)):
        other = replace(wide, processing=replace(wide.processing, methods=methods))
        receiver.apply(Spd((other, asked)), 0.0)
        assert reasons(receiver.inbound(packets_of(sender.outbound([datagram()], 0.0)), 0.0)) == [reason]
