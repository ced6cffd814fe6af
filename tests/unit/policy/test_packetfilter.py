# SPDX-License-Identifier: Apache-2.0
"""``[[packet-filter]]`` of the document, and what becomes of it on a computer."""

import pytest

from ringfence.databases.packet_filter import PacketList
from ringfence.databases.spd import Action, Direction
from ringfence.net.address import parse_address
from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord, PolicyError
from ringfence.policy.host import HostFacts
from ringfence.policy.networks import Interface
from ringfence.policy.packetfilter import Match, packet_filter_sections, packet_lists, parse_match
from ringfence.policy.scope import LinkKind
from ringfence.policy.write import canonical
from ringfence.testing.policies import compile_text

HEAD = '[[packet-filter]]\nname = "wan"\ndirection = "in"\n'


def lists(more: str, *own: str) -> tuple[PacketList, ...]:
    return compile_text(HEAD + more, *own).spd.packet_lists


@pytest.mark.parametrize(
    "text",
    ["any tcp established -> me:25", "10.0.0.0/8 -> any", "any icmp 3/4 -> me", "any icmpv6 echo-request -> any",
     "any gre -> any", "any:53 udp -> 10.0.0.1-10.0.0.9:1024-65535", "any -> dns-servers", "any protocol 253 -> me"],
)  # fmt: skip
def test_filters_in_words_and_back(text: str) -> None:
    assert str(parse_match(text)) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [("any udp established -> me", "stands behind"), ("established -> me", "stands behind"), ("me <-> any", "one dir"),
     ("any tcp to 99999 -> me", "99999"), ("any tcp established", "not understood"), ("", "not understood")],
)  # fmt: skip
def test_what_is_no_filter(text: str, why: str) -> None:
    with pytest.raises(BadWord) as caught:
        parse_match(text)
    assert why in caught.value.why
    assert caught.value.cure


def test_written_and_read_again() -> None:
    text = (
        '[[packet-filter]]\nname = "wan"\ndescription = "x"\nenabled = false\n'
        'direction = "in"\ninterfaces = ["dev eth0", "dev wg*"]\nversion = 4\n'
        'default = "block"\nfilters = "any tcp established -> me"\ndrop-fragments = true\n'
    )
    policy = parse(text, name="p")
    assert canonical(policy) == text
    assert parse(canonical(policy), name="p") == policy
    (section,) = packet_filter_sections(policy.packet_filters)
    assert section.place.line == 1
    assert {one.name: one.place.line for one in section.settings}["default"] == 8


def test_me_follows_the_addresses_and_any_is_of_both_versions() -> None:
    (one,) = lists('filters = ["any tcp -> me:25"]', "10.0.0.1", "fd00::1")
    assert [str(fit.selector) for fit in one.fits] == ["0.0.0.0/0 -> 10.0.0.1:25 tcp", "::/0 -> [fd00::1]:25 tcp"]
    assert (one.direction, one.default, one.versions) == (Direction.IN, Action.BYPASS, (4, 6))


def test_a_list_of_one_version() -> None:
    (one,) = lists('version = 6\nfilters = ["any udp -> any:53", "any:53 udp -> any"]')
    assert [str(fit.selector) for fit in one.fits] == ["::/0 -> [::/0]:53 udp", "[::/0]:53 -> ::/0 udp"]
    assert one.versions == (6,)


def test_icmp_has_a_type_and_code() -> None:
    (one,) = lists('filters = ["any icmp 3/4 -> me"]', "10.0.0.1", "fd00::1")
    (fit,) = one.fits
    assert fit.selector.source_ports == fit.selector.destination_ports
    assert fit.selector.source_ports.first == 3 * 256 + 4


def test_kinds_of_interface_are_those_of_now_and_names_are_names() -> None:
    eth, wlan = Interface("eth0"), Interface("wlan0", LinkKind.WIRELESS)
    policy = parse(HEAD + 'interfaces = ["wireless", "dev ppp*"]\nfilters = ["any -> me"]', name="p")
    found = packet_lists(policy.packet_filters, HostFacts(interfaces=(eth, wlan)))
    assert next(found).interfaces == ("wlan0", "ppp*")
    policy = parse(HEAD + 'interfaces = ["wireless"]\nfilters = ["any -> me"]', name="p")
    assert not list(packet_lists(policy.packet_filters, HostFacts(interfaces=(eth,)))), "not: on all"


def test_switched_off() -> None:
    policy = parse(HEAD + 'enabled = false\nfilters = ["any -> me"]', name="p")
    assert list(packet_lists(policy.packet_filters, HostFacts((parse_address("10.0.0.1"),)))) == []


@pytest.mark.parametrize(
    ("more", "line", "what"),
    [("", 1, "has no filters"), ("drop-fragments = true\ndirektion = 1", 5, "there is no setting"),
     ('version = 5\nfilters = ["any -> me"]', 4, "4 or 6"),
     ('version = 4\nfilters = ["any icmpv6 -> me"]', 5, "never IPv4"),
     ('interfaces = ["eth0"]\nfilters = ["any -> me"]', 4, "but has to be"),
     ('default = "negotiate"\nfilters = ["any -> me"]', 4, '"permit" or "block"'),
     ('filters = ["any <-> me"]', 4, "one direction")],
)  # fmt: skip
def test_wrong_ones_have_their_place(more: str, line: int, what: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(HEAD + more, name="p.toml")
    (found,) = caught.value.findings
    assert what in found.message
    assert found.place.line == line


@pytest.mark.parametrize(
    ("text", "what"),
    [('[[packet-filter]]\nname = "x"\nfilters = ["any -> me"]', "direction"),
     ('[[packet-filter]]\nname = "x"\ndirection = "out"\ndrop-fragments = true', "that arrive"),
     (f'{HEAD}filters = ["any -> me"]\n[[filter]]\nname = "wan"\nblock = "tcp"', "already taken")],
)  # fmt: skip
def test_wrong_wholes(text: str, what: str) -> None:
    with pytest.raises(PolicyError, match=what):
        parse(text, name="p.toml")


def test_a_match_is_a_value() -> None:
    assert parse_match("ANY TCP Established -> me") == Match(parse_match("any tcp -> me").packets, established=True)
