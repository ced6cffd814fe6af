# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.net.address import ANY_PORT, PortRange
from ringfence.policy.errors import BadWord
from ringfence.policy.traffic import ICMP_TYPES, ICMPV6_TYPES, Traffic, parse_traffic


@pytest.mark.parametrize(
    ("text", "traffic"),
    [
        ("any", Traffic()),
        ("tcp", Traffic(6)),
        ("tcp any", Traffic(6)),
        ("tcp to 1433", Traffic(6, ANY_PORT, PortRange.one(1433))),
        ("tcp from 80", Traffic(6, PortRange.one(80), ANY_PORT)),
        ("UDP from 68 to 67", Traffic(17, PortRange.one(68), PortRange.one(67))),
        ("udp to 67 from 68", Traffic(17, PortRange.one(68), PortRange.one(67))),
        ("udp 53", Traffic(17, ANY_PORT, PortRange.one(53), either=True)),
        ("tcp to 8000-8099", Traffic(6, ANY_PORT, PortRange(8000, 8099))),
        ("icmp", Traffic(1)),
        ("icmp echo-request", Traffic(1, PortRange(2048, 2303), PortRange(2048, 2303))),
        ("icmp 3/4", Traffic(1, PortRange.one(772), PortRange.one(772))),
        ("icmpv6 128", Traffic(58, PortRange(32768, 33023), PortRange(32768, 33023))),
        ("gre", Traffic(47)),
        ("protocol 47", Traffic(47)),
        ("protocol 6 to 80", Traffic(6, ANY_PORT, PortRange.one(80))),
        ("protocol 0", Traffic(0)),
    ],
)
def test_words(text: str, traffic: Traffic) -> None:
    assert parse_traffic(text) == traffic


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "says nothing"),
        ("tpc to 80", '"tpc" is no protocol'),
        ("protocol 256", "0 to 255"),
        ("protocol x", "0 to 255"),
        ("protocol", '"protocol" is no protocol'),
        ("gre to 5", "gre has no ports"),
        ("tcp to", "neither a port"),
        ("tcp to 80 to 81", "not understood"),
        ("tcp at 80", "not understood"),
        ("tcp to 80 from", "not understood"),
        ("tcp to 65536", "between 0 and 65535"),
        ("tcp to 90-80", "first before last"),
        ("tcp to http", '"http" is neither'),
        ("tcp to ٨٠", "neither"),
        ("icmp echo", '"echo" is no message'),
        ("icmp 256", "is no message"),
        ("icmp 3/256", "is no message"),
        ("icmp 3/x", "is no message"),
        ("icmp 3 4", "is no message"),
        ("any thing", '"any" is no protocol'),
    ],
)
def test_what_is_not_understood(text: str, why: str) -> None:
    with pytest.raises(BadWord, match=why) as caught:
        parse_traffic(text)
    assert caught.value.cure


def test_which_end_has_which_port() -> None:
    to_80 = parse_traffic("tcp to 80")
    assert list(to_80.outward()) == [(ANY_PORT, PortRange.one(80))]
    assert list(to_80.inward()) == [(PortRange.one(80), ANY_PORT)]
    either = parse_traffic("udp 53")
    assert (
        set(either.outward()) == set(either.inward()) == {(ANY_PORT, PortRange.one(53)), (PortRange.one(53), ANY_PORT)}
    )


def test_icmp_belongs_to_its_family() -> None:
    assert parse_traffic("icmp").fits(4)
    assert not parse_traffic("icmp").fits(6)
    assert not parse_traffic("icmpv6").fits(4)
    assert all(parse_traffic(word).fits(version) for word in ("tcp", "any") for version in (4, 6))


ports = st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(lambda p: PortRange(min(p), max(p)))
traffics = st.one_of(
    st.just(Traffic()),
    st.builds(Traffic, st.sampled_from([6, 17, 132, 136, 33]), ports, ports),
    st.builds(lambda p, q: Traffic(p, ANY_PORT, q, either=not q.is_any), st.sampled_from([6, 17]), ports),
    st.builds(Traffic, st.integers(0, 255).filter(lambda p: p not in (1, 58))),
    st.builds(lambda p, t: Traffic(p, PortRange(t * 256, t * 256 + 255), PortRange(t * 256, t * 256 + 255)),
              st.sampled_from([1, 58]), st.integers(0, 255)),
    st.builds(lambda p, t: Traffic(p, PortRange.one(t), PortRange.one(t)),
              st.sampled_from([1, 58]), st.integers(0, 65535)),
)  # fmt: skip


@given(traffics)
def test_what_is_written_is_read_again(traffic: Traffic) -> None:
    assert parse_traffic(str(traffic)) == traffic


def test_every_word_for_a_message_is_written_again() -> None:
    for name, types in (("icmp", ICMP_TYPES), ("icmpv6", ICMPV6_TYPES)):
        for word in types:
            assert str(parse_traffic(f"{name} {word}")) == f"{name} {word}"
