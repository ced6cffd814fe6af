# SPDX-License-Identifier: Apache-2.0
from ringfence.backends.early import MOST_EARLY, PATIENCE_S, Early
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Verdict
from ringfence.net.address import parse_address
from ringfence.net.flow import ESP, FlowKey
from ringfence.net.ip import build

FLOW = FlowKey(parse_address("192.0.2.2"), parse_address("192.0.2.1"), ESP, None, None)


def packet(spi: int, number: int = 0) -> bytes:
    return build(FLOW.source, FLOW.destination, ESP, spi.to_bytes(4) + number.to_bytes(4) + bytes(24))


def unknown(spi: int) -> Dropped:
    return Dropped(Drop.UNKNOWN_SPI, FLOW, spi)


def test_what_comes_too_early_waits_for_its_sa_in_order() -> None:
    early = Early()
    packets = [packet(7, 1), packet(8), packet(7, 2), packet(5)]
    verdicts: list[Verdict] = [unknown(7), unknown(8), unknown(7), Deliver((b"",), 1)]
    assert early.sort_out(packets, verdicts, 0.0) == ([Deliver((b"",), 1)], 3)
    assert early.take([9]) == []
    assert early.take([7, 9]) == [packet(7, 1), packet(7, 2)]
    assert len(early) == 1
    assert early.overdue(PATIENCE_S - 0.01) == []
    assert early.next_timer() == PATIENCE_S
    assert early.overdue(PATIENCE_S) == [packet(8)]
    assert early.next_timer() is None


def test_other_drops_stay() -> None:
    early = Early()
    replayed = Dropped(Drop.REPLAYED, FLOW, 7)
    assert early.sort_out([packet(7), b"\x45"], [replayed], 0.0) == ([replayed], 0)
    assert early.sort_out([packet(7), packet(8)], [replayed, unknown(8)], 0.0) == ([replayed], 1)


def test_strangers_fill_no_more_than_there_is() -> None:
    early = Early()
    many = range(1, MOST_EARLY + 11)
    staying, kept = early.sort_out([packet(spi) for spi in many], [unknown(spi) for spi in many], 0.0)
    assert (len(early), kept, len(staying)) == (MOST_EARLY, MOST_EARLY, 10)
    assert early.sort_out([packet(1)], [unknown(1)], 0.1) == ([unknown(1)], 0)
