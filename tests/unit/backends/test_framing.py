# SPDX-License-Identifier: Apache-2.0
"""Frames in a stream: RFC 9329 §3 and §4, however TCP cuts it, and what ends a connection."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.backends.framing import MOST_OCTETS, Deframer, Garbage, framed

ESP = bytes.fromhex("00001001 00000001") + b"sealed"


def ike(octets: int = 28) -> bytes:
    """A message, its marker in front."""
    return bytes(4) + b"\x01" * 24 + octets.to_bytes(4) + bytes(octets - 28)


def test_the_octets_of_frames():
    assert framed([ESP]) == b"\x00\x10" + ESP
    assert framed([ike()]) == b"\x00\x22" + ike()
    assert framed([]) == b""
    assert framed([bytes(MOST_OCTETS - 2)])[:2] == b"\xff\xff"
    assert framed([bytes(MOST_OCTETS - 1), ESP]) == framed([ESP])


BODIES = st.lists(st.sampled_from([ESP, ESP + bytes(1400), ike(), ike(3000)]), max_size=8)


@settings(deadline=None)
@given(bodies=BODIES, prefixed=st.booleans(), cuts=st.lists(st.integers(1, 2000), min_size=1, max_size=20))
def test_it_does_not_matter_where_tcp_cuts(bodies, prefixed, cuts):
    stream = (b"IKETCP" if prefixed else b"") + framed(bodies)
    deframer, found, at = Deframer(prefixed=prefixed), [], 0
    while at < len(stream):
        octets = cuts[at % len(cuts)]
        found += deframer.feed(stream[at : at + octets])
        at += octets
    assert found == bodies
    assert deframer.waiting == 0


def test_octet_by_octet():
    deframer = Deframer(prefixed=True)
    stream = b"IKETCP" + framed([ESP, ike()])
    found = [body for at in range(len(stream)) for body in deframer.feed(stream[at : at + 1])]
    assert found == [ESP, ike()]


@pytest.mark.parametrize("begun", [b"G", b"IKETCX", b"iketcp", b"IKETC\x00", b"\x00\x10"])
def test_another_beginning(begun):
    with pytest.raises(Garbage, match="IKETCP"):
        Deframer(prefixed=True).feed(begun)


@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\x00", b"\x00\x01", b"\x00\x02",
        framed([b"seven.."]),
        framed([ike()[:-1]]),
        framed([ike() + b"x"]),
        framed([bytes(4)]),
    ],
    ids=["none", "one", "empty", "short-esp", "short-ike", "long-ike", "marker"],
)  # fmt: skip
def test_frames_that_cannot_be(frame):
    deframer = Deframer(prefixed=False)
    assert deframer.feed(framed([ESP])) == [ESP]
    with pytest.raises(Garbage):
        deframer.feed(frame)


def test_keepalives_are_passed_over():
    assert Deframer(prefixed=False).feed(framed([b"\xff", ESP, b"\xff"])) == [ESP]


def test_no_more_than_a_frame_is_kept():
    deframer = Deframer(prefixed=False)
    deframer.feed(b"\xff\xff" + bytes([1]) * 65532)
    assert deframer.waiting == 65534
    assert deframer.feed(b"\x01") == [b"\x01" * 65533]
