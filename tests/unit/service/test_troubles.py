# SPDX-License-Identifier: Apache-2.0
"""The memory of what failed."""

from datetime import UTC, datetime, timedelta

from ringfence.audit import Event, MainModeFailed, MessageIgnored, QuickModeFailed
from ringfence.databases.comparison import Terms, compare
from ringfence.ike.errors import Reason
from ringfence.service.events import Recorded
from ringfence.service.troubles import KINDS, PEERS, STRANGERS, TroubleTable

START = datetime(2026, 11, 25, tzinfo=UTC)


def failed(peer: str = "10.0.0.9", reason: Reason = Reason.NO_PROPOSAL, *, initiator: bool = False, rule: str = "r",
           detail: str = "d") -> Event:  # fmt: skip
    found = compare("x", [Terms((("hash", "a"),))], [Terms((("hash", "b"),))])
    return MainModeFailed(
        peer=peer, reason=reason.value, detail=detail, initiator=initiator, rule=rule, comparison=found
    )


def table_of(*events: Event) -> TroubleTable:
    table = TroubleTable()
    for number, event in enumerate(events):
        table(Recorded(number, START + timedelta(seconds=number), event))
    return table


def test_failures_that_are_alike_count() -> None:
    (one,) = table_of(failed("10.0.0.9:500"), failed("10.0.0.9:500", detail="later")).of("10.0.0.9")
    assert (one.times, one.detail, one.exchange) == (2, "later", "main mode")
    assert (one.first_at, one.last_at) == (START, START + timedelta(seconds=1))
    assert one.comparison is not None


def test_others_are_told_apart_the_latest_first() -> None:
    quick = QuickModeFailed(peer="10.0.0.9", reason=Reason.PEER_REFUSED.value, detail="", initiator=True)
    found = table_of(failed(), failed(initiator=True), failed(rule="other"), quick).of("10.0.0.9")
    assert [(one.exchange, one.we_began, one.rule) for one in found] == [
        ("quick mode", True, ""), ("main mode", False, "other"), ("main mode", True, "r"), ("main mode", False, "r"),
    ]  # fmt: skip


def test_those_of_another_protocol_are_others() -> None:
    second = MainModeFailed(
        peer="10.0.0.9", reason=Reason.NO_PROPOSAL.value, detail="d", initiator=False, rule="r", keying="ikev2"
    )
    found = table_of(failed(), second).of("10.0.0.9")
    assert [(one.keying, one.times) for one in found] == [("ikev2", 1), ("ikev1", 1)]


def test_it_is_bounded() -> None:
    kinds = table_of(*(failed(rule=str(number)) for number in range(KINDS + 3)))
    assert [one.rule for one in kinds.of("10.0.0.9")][-1] == "3"
    many = table_of(failed("first"), *(failed(f"p{number}") for number in range(PEERS)))
    assert many.of("first") == []
    assert len(many.addresses()) == PEERS
    assert many.addresses()[0] == f"p{PEERS - 1}"


def test_what_this_host_wanted_is_no_trouble() -> None:
    assert table_of(failed(reason=Reason.POLICY_CHANGED), failed(reason=Reason.SHUT_DOWN)).of("10.0.0.9") == []


def test_strangers_wash_nothing_away() -> None:
    strange = [
        MessageIgnored(peer=f"s{number}", reason=Reason.NO_PEER.value, detail="nobody", count=3)
        for number in range(STRANGERS + 1)
    ]
    table = table_of(failed(), *strange, MessageIgnored(peer="noise", reason="bad-hash", detail=""))
    assert len(table.of("10.0.0.9")) == 1
    assert table.of("s0") == []
    assert [(one.exchange, one.times) for one in table.of("s1")] == [("message", 3)]
    assert table.of("noise") == []
