# SPDX-License-Identifier: Apache-2.0
"""Filters in both stored forms: read as Windows means them, and everything that can be said comes back."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.policy.errors import BadWord
from ringfence.policy.ipfilter import format_filter, parse_filter
from ringfence.policy.model import HostName, Keyword
from ringfence.policy.traffic import Traffic
from ringfence.policy.windows import IpFilter
from ringfence.stores.directory import blobs
from ringfence.stores.directory.filters import blob_of, filters_of, one_by_one
from ringfence.stores.directory.records import FilterV1, FilterV2, PortBlock, text_octets

GUID = bytes(range(16))


def stored(*words: str) -> blobs.FilterBlob:
    return blob_of([(parse_filter(one), GUID) for one in words])


def read(blob: blobs.FilterBlob) -> list[str]:
    return [format_filter(one) for one in filters_of(blobs.decode_filters(blobs.encode_filters(blob)))]


OLD = (
    "me <-> any", "me icmp <-> any", "me tcp -> 10.1.2.3:443", "10.0.0.0/8:1024 udp <-> me:53",
    "me <-> dns-servers", "default-gateway -> me", "me tcp <-> wins-servers:137", "10.0.0.0/9 -> 192.0.2.0/24",
    "any gre <-> 192.0.2.1",
)  # fmt: skip
NEW = (
    "me <-> 10.0.0.1-10.0.0.9", "2001:db8::/32 <-> 2001:db8:1::7", "me tcp <-> any:8000-8099", "me <-> 0.0.0.0/0",
    "me <-> ::/0", "dns-servers -> dhcp-servers", "me <-> 2001:db8::1-2001:db8::9",
)  # fmt: skip


@pytest.mark.parametrize("words", OLD)
def test_what_the_first_form_can_say_is_said_by_it(words):
    blob = stored(words)
    assert (len(blob.old.filters), blob.new) == (1, None)
    assert read(blob) == [words]


@pytest.mark.parametrize("words", NEW)
def test_the_rest_is_said_by_the_second(words):
    blob = stored("me <-> any", words)
    assert blob.new is not None
    assert (len(blob.old.filters), len(blob.new.filters)) == (1, 1)
    assert read(blob) == ["me <-> any", words]


def test_octets_by_hand():
    """As Windows 2000 has "All IP Traffic", but for the filter's GUID."""
    octets = bytes.fromhex(
        "b520dc80c82ed111a89e00a0248d3021 4a000000 01000000 02000000 0000 02000000 0000 02000000 0000"
        f"{GUID.hex()} 01000000 00000000 ffffffff 00000000 00000000 00000000 00000000 0000 0000 00 00 0000 00"
    )
    assert blobs.encode_filters(stored("me <-> any")) == octets
    tunnelled = octets[:-9].hex() + "a506 0000 00 81 0000 00"
    assert read(blobs.decode_filters(bytes.fromhex(tunnelled.replace("00000000a506", "11000000a506")))) == [
        "me:1701 udp <-> dns-servers"
    ]


ends = st.sampled_from([
    Keyword.ANY, Keyword.DNS_SERVERS, Keyword.WINS_SERVERS, Keyword.DHCP_SERVERS, Keyword.DEFAULT_GATEWAY,
    AddressRange.parse("10.0.0.0/8"), AddressRange.parse("10.0.0.1"), AddressRange.parse("0.0.0.0/0"),
    AddressRange.parse("0.0.0.0"), AddressRange.parse("0.0.0.0/9"), AddressRange.parse("10.0.0.3-10.0.1.9"),
    AddressRange.parse("255.255.255.255"),
])  # fmt: skip
ports = st.sampled_from([ANY_PORT, PortRange.one(53), PortRange(1, 65535), PortRange(0, 7)])
traffic = st.one_of(
    st.builds(Traffic, st.sampled_from([None, 1, 47, 255])),
    st.builds(Traffic, st.sampled_from([6, 17]), ports, ports),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.builds(IpFilter, ends | st.just(Keyword.ME), ends, traffic, st.booleans(), st.text(max_size=9)
                          .filter(lambda text: "\0" not in text and text.isascii())), max_size=4))  # fmt: skip
def test_every_filter_that_can_be_said_comes_back(items):
    blob = blob_of([(one, GUID) for one in items])
    back = list(filters_of(blobs.decode_filters(blobs.encode_filters(blob))))
    assert sorted(map(repr, back)) == sorted(map(repr, items))
    assert blob_of([(one, bytes(16)) for one in back], blob) == blob, "octets that were there are kept, GUIDs as well"


def test_networks_that_only_stand_for_a_range_are_left_out_and_others_are_not():
    blob = stored("me <-> 10.0.0.4-10.0.0.11", "me <-> 10.0.0.4/30", "me tcp <-> 10.0.0.8/30", "me <-> 192.0.2.1")
    assert blob.new is not None
    flagged = replace(blob, new=replace(blob.new, filters=(replace(blob.new.filters[0], flags=8),)))
    assert read(blob) == [
        "me <-> 10.0.0.4/30",
        "me tcp <-> 10.0.0.8/30",
        "me <-> 192.0.2.1",
        "me <-> 10.0.0.4-10.0.0.11",
    ]
    assert read(flagged) == ["me tcp <-> 10.0.0.8/30", "me <-> 192.0.2.1", "me <-> 10.0.0.4-10.0.0.11"]


def test_a_port_at_either_end_is_two_filters():
    item = IpFilter(Keyword.ME, Keyword.ANY, Traffic(17, ANY_PORT, PortRange.one(53), either=True))
    assert [format_filter(one) for one in one_by_one(item)] == ["me udp <-> any:53", "me:53 udp <-> any"]
    assert read(blob_of([(item, GUID)])) == ["me udp <-> any:53", "me:53 udp <-> any"]


def old(**changes: object) -> blobs.FilterBlob:
    (one,) = stored("me tcp <-> 10.0.0.1:80").old.filters
    return blobs.FilterBlob(replace(stored("me <-> any").old, filters=(replace(one, **changes),)))


def new(**changes: object) -> blobs.FilterBlob:
    made = stored("me tcp <-> 2001:db8::1:80".replace("2001:db8::1:80", "[2001:db8::1]:80"))
    assert made.new is not None
    return replace(made, new=replace(made.new, filters=(replace(made.new.filters[0], **changes),)))


DESTINATION = stored("me <-> 2001:db8::/32").new.filters[0].destination  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("blob", "why"),
    [
        (old(special=5), "filter 1, whose special address 0x5 is unknown"),
        (old(special=0x80), "special address 0x80"),
        (old(source_mask=b"\xff\x00\xff\x00", source=b"\x0a\0\0\0"), "mask 255.0.255.0 is none"),
        (old(protocol=256), "protocol 256"),
        (old(protocol=47), "protocol 47 has none"),
        (old(description=b"\0"), "description is no text"),
        (old(destination=bytes(4), destination_mask=b"\xff" * 4), "sends to itself"),
        (new(protocol=0), "which has ports"),
        (new(destination_ports=PortBlock(3, 0, 0)), "kind of ports 3"),
        (new(destination_ports=PortBlock(2, 9, 8)), "range of ports ends"),
        (new(destination=replace(DESTINATION, kind=3)), "filter 1 of the second part, whose kind of address 0x3"),
        (new(destination=replace(DESTINATION, version=3)), "of version 3"),
        (new(destination=replace(DESTINATION, last=b"\x81" + bytes(15))), "129 bits"),
        (new(destination=replace(DESTINATION, kind=2, last=bytes(16))), "range ends before"),
        (new(source=replace(DESTINATION, kind=1, version=1)), "IPv4 at one end and IPv6"),
    ],
)
def test_filters_that_mean_nothing_known_are_refused(blob, why):
    with pytest.raises(BadWord, match=why):
        list(filters_of(blob))


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (IpFilter(Keyword.ME, HostName("www.corp.example")), "DNS name"),
        (IpFilter(Keyword.ME, Keyword.LOCAL_SUBNET), "local-subnet"),
        (IpFilter(Keyword.ME, Keyword.ANY, Traffic(0)), "protocol 0"),
        (IpFilter(Keyword.ME, Keyword.ANY, Traffic(132, ANY_PORT, PortRange.one(80))), "ports or types"),
        (IpFilter(Keyword.ME, Keyword.ANY, Traffic(1, PortRange.one(2048), PortRange.one(2048))), "ports or types"),
        (IpFilter(Keyword.ME, Keyword.ANY, Traffic(6, ANY_PORT, PortRange.one(0))), "port 0"),
    ],
)
def test_filters_that_no_directory_can_say(item, why):
    with pytest.raises(BadWord, match=why):
        blob_of([(item, GUID)])


def test_any_address_of_one_family():
    whole = stored("me <-> any", "me <-> 2001:db8::/32").new
    assert whole is not None
    for version, words in ((1, "me <-> 0.0.0.0/0"), (2, "me <-> ::/0"), (3, "me <-> any"), (0, "me <-> any")):
        one: FilterV2 = replace(whole.filters[0], destination=replace(DESTINATION, kind=0, version=version))
        assert read(blobs.FilterBlob(stored().old, replace(whole, filters=(one,)))) == [words]


def test_dns_names_of_windows_are_kept_and_the_address_counts():
    (one,) = stored("me tcp <-> 192.0.2.7:443").old.filters
    named: FilterV1 = replace(one, destination_name=text_octets("www.corp.example"))
    blob = blobs.FilterBlob(replace(stored().old, filters=(named,)))
    assert read(blob) == ["me tcp <-> 192.0.2.7:443"]
    assert blob_of([(one, GUID) for one in filters_of(blob)], blob) == blob
