# SPDX-License-Identifier: Apache-2.0
"""Filters as commands of a script."""

import pytest

from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Filter
from ringfence.transfer.powershell.write_filters import block_words, exemption_of
from ringfence.transfer.powershell.writing import command


def item(settings: str) -> Filter:
    return parse(f'[[filter]]\nname = "F"\n{settings}\n', name="p.toml").filters[0]


def words(settings: str) -> list[str]:
    return [command("X", one).replace(" `\n   ", "").partition("$group -")[2] for one in block_words(item(settings))]


def test_blocks() -> None:
    assert words('block = ["tcp to 23", "tcp to 25-26"]') == [
        "Direction Outbound -Action Block -Protocol TCP -RemotePort 23, 25-26"
    ]
    assert words('block = "udp from 5 to 6"\ndirection = "in"\nmirrored = false\nprofiles = "public"') == [
        "Profile Public -Direction Inbound -Action Block -Protocol UDP -RemotePort 5 -LocalPort 6"
    ]
    assert words('block = ["icmp echo-request", "icmp 3/4"]\ndirection = "both"\nwith = "10.0.0.1"') == [
        "Direction Inbound -Action Block -RemoteAddress '10.0.0.1' -Protocol ICMPv4 -IcmpType 8, '3:4'",
        "Direction Outbound -Action Block -RemoteAddress '10.0.0.1' -Protocol ICMPv4 -IcmpType 8, '3:4'",
    ]
    assert words('block = ["any", "gre"]') == [
        "Direction Outbound -Action Block", "Direction Outbound -Action Block -Protocol 47"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "settings", ['block = "tcp 80"', 'block = "sctp to 5"', 'block = "any"\nbetween = ["10.0.0.1", "10.0.0.2"]']
)
def test_what_windows_cannot_have(settings: str) -> None:
    with pytest.raises(BadWord):
        words(settings)


def test_what_is_permitted_is_exempt() -> None:
    assert exemption_of(item('permit = "tcp to 80"')).secure.exempt
    for settings in ('permit = "any"\nmirrored = false', 'permit = "any"\ndirection = "in"', 'block = "any"'):
        with pytest.raises(BadWord):
            exemption_of(item(settings))
