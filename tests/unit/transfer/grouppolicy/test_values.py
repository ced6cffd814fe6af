# SPDX-License-Identifier: Apache-2.0
"""Values of fields, as the grammar of [MS-GPFAS] §2.2.2 has them."""

import pytest

from ringfence.policy.errors import BadWord
from ringfence.transfer.grouppolicy import values
from ringfence.transfer.grouppolicy.values import (
    BOOL,
    ICMP,
    INTERFACE,
    PLACES,
    PLATFORM,
    PORT,
    PORT_RANGE,
    TEXT,
    VERSION,
    Codec,
    Version,
    address,
    addresses,
    literal,
    numeric,
    ports,
)

V4, V6 = addresses(4, PLACES), addresses(6, PLACES)


@pytest.mark.parametrize(
    ("codec", "text", "written"),
    [
        (BOOL, "true", "TRUE"),
        (BOOL, "FALSE", "FALSE"),
        (PORT, "65535", "65535"),
        (PORT, "00080", "80"),
        (PORT_RANGE, "1-65535", "1-65535"),
        (VERSION, "2.010", "2.10"),
        (PLATFORM, "2:6:1", "2:6:1"),
        (ICMP, "8:*", "8:*"),
        (ICMP, "3:4", "3:4"),
        (ICMP, "255:255", "255:255"),
        (INTERFACE, "{5A5A5A5A-0000-0000-0000-00000000000a}", "{5A5A5A5A-0000-0000-0000-00000000000a}"),
        (V4, "10.0.0.1", "10.0.0.1"),
        (V4, "10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9"),
        (V4, "10.9.0.0/255.255.0.0", "10.9.0.0/16"),
        (V4, "10.9.1.1/16", "10.9.0.0/16"),
        (V4, "0.0.0.0/0", "0.0.0.0/0"),
        (V4, "10.0.0.1/32", "10.0.0.1"),
        (V4, "localsubnet", "LocalSubnet"),
        (V6, "2001:4898::-2001:4898:a0:5084:ffff:ffff:ffff:ffff", "2001:4898::-2001:4898:a0:5084:ffff:ffff:ffff:ffff"),
        (V6, "2a01:110::/31", "2a01:110::/31"),
        (V6, "DefaultGateway", "DefaultGateway"),
        (address(6), "FE80::1", "fe80::1"),
        (address(4), "192.0.2.1", "192.0.2.1"),
        (numeric(3, 255), "255", "255"),
        (literal("KeyModDefault"), "keymoddefault", "KeyModDefault"),
        (TEXT, "", ""),
        (ports(PORT, ["RPC"]), "rpc", "RPC"),
        (ports(PORT, ["RPC"]), "135", "135"),
    ],
)
def test_read_and_written(codec: Codec[object], text: str, written: str) -> None:
    assert codec.write(codec.read(text)) == written
    assert codec.read(written) == codec.read(text)


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        (BOOL, "1"), (BOOL, ""), (PORT, "65536"), (PORT, "000080"), (PORT, "-1"), (PORT, "8 "), (PORT, "٨"),
        (PORT_RANGE, "80"), (PORT_RANGE, "9-8"), (PORT_RANGE, "1-65536"), (VERSION, "2"), (VERSION, "2.256"),
        (VERSION, "2.1.0"), (PLATFORM, "2:6"), (PLATFORM, "8:6:1"), (PLATFORM, "2:6:256"), (ICMP, "8"),
        (ICMP, "256:0"), (ICMP, "8:256"), (ICMP, "*:*"), (INTERFACE, "eth0"), (V4, "10.0.0.256"), (V4, "::1"),
        (V4, "10.0.0.9-10.0.0.1"), (V4, "10.0.0.0/33"), (V4, "10.0.0.0/255.0.255.0"), (V4, "10.0.0.0/0.0.0.255"),
        (V4, "::/0"), (V4, "anywhere"), (V4, ""), (V6, "10.0.0.1"), (V6, "fe80::1%2"), (V6, "::1/129"),
        (V6, "::2-::1"), (address(4), "10.0.0.0/8"), (numeric(3, 255), "256"), (numeric(3, 255), "0001"),
        (literal("In", "Out"), "Both"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(codec: Codec[object], text: str) -> None:
    with pytest.raises(BadWord):
        codec.read(text)


def test_versions_have_an_order() -> None:
    assert Version(2, 9) < Version(2, 10) < Version(2, 30) < Version(3, 0)


def test_a_text_has_no_mark_of_the_grammar() -> None:
    with pytest.raises(BadWord, match=r"cannot say \"\|\""):
        values.TEXT.write("a|b")
