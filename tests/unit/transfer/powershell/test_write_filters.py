# SPDX-License-Identifier: Apache-2.0
"""Filters as commands of a script."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ringfence.net.address import AddressRange
from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord
from ringfence.policy.model import ANY, Filter, Policy, Reading, Verb
from ringfence.policy.terms import Access, Security
from ringfence.policy.traffic import parse_traffic
from ringfence.transfer.powershell.exporting import write_script
from ringfence.transfer.powershell.importing import read_script
from ringfence.transfer.powershell.write_filters import exemption_of, firewall_words
from ringfence.transfer.powershell.writing import command


def item(settings: str) -> Filter:
    return parse(f'[[filter]]\nname = "F"\n{settings}\n', name="p.toml").filters[0]


def words(settings: str) -> list[str]:
    return [command("X", one).replace(" `\n   ", "").partition("$group -")[2] for one in firewall_words(item(settings))]


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


SID = "S-1-5-21-1-2-3-1114"
WHO = st.sampled_from([Access(), Access((SID,)), Access((SID, "S-1-5-21-9"), ("S-1-5-21-8",))])
TRAFFIC = st.lists(st.sampled_from(["tcp to 445", "tcp to 22", "tcp to 1-9"]), min_size=1, unique=True)


@st.composite
def secured(draw: st.DrawFn) -> Filter:
    direction = draw(st.sampled_from([Reading.IN, Reading.OUT]))
    some = [one for one in Security if direction is Reading.IN or one is not Security.NEGOTIATED]
    allow, deny = draw(WHO), draw(WHO)
    override = draw(st.booleans()) and (direction is Reading.OUT or bool(allow.computers))
    return Filter(
        "F", Verb.PERMIT, tuple(map(parse_traffic, draw(TRAFFIC))), direction=direction,
        secure=draw(st.sampled_from(some)), override_block=override, mirrored=not override, allow=allow, deny=deny,
        remote=draw(st.sampled_from([ANY, (AddressRange.parse("10.0.0.0/8"),)])), enabled=draw(st.booleans()),
    )  # fmt: skip


@hypothesis_settings(deadline=None)
@given(secured())
def test_what_is_secure_comes_back(one: Filter) -> None:
    exported = write_script(Policy(filters=(one,)), {})
    assert not exported.left_out
    again = read_script(exported.text, "x.ps1")
    assert not again.left_out
    assert again.policy.filters == (one,)


def test_what_is_secure() -> None:
    assert words('permit = "tcp to 445"\ndirection = "in"\nsecure = "encrypted"') == [
        "Direction Inbound -Action Allow -Authentication Required -Encryption Required -Protocol TCP -LocalPort 445"
    ]
    assert words(
        f'permit = "tcp to 22"\ndirection = "in"\nsecure = "authenticated"\noverride-block = true\n'
        f'allow = {{ computers = "{SID}" }}'
    ) == [
        "Direction Inbound -Action Allow -Authentication Required -Encryption NotRequired -OverrideBlockRules $true "
        f"-RemoteMachine 'D:(A;;CC;;;{SID})' -Protocol TCP -LocalPort 22"
    ]
    both = words('permit = "tcp to 445"\ndirection = "both"\nsecure = "no-encapsulation"')
    assert [one.split()[1] for one in both] == ["Inbound", "Outbound"]
    assert all("-Authentication NoEncap -Encryption NotRequired" in one for one in both)


@pytest.mark.parametrize(
    "settings",
    [
        'direction = "in"\nsecure = "encrypted"\nmirrored = false',
        'secure = "negotiated"',
        'direction = "in"\nsecure = "encrypted"\nallow = { computers = "a.example" }',
        'secure = "encrypted"\nbetween = ["10.0.0.1", "10.0.0.2"]',
        'secure = "encrypted"\ndirection = "both"\noverride-block = true\nallow = { users = "S-1-5-1" }',
    ],
)
def test_what_windows_cannot_secure(settings: str) -> None:
    with pytest.raises(BadWord):
        words(f'permit = "tcp to 445"\n{settings}')


def test_what_is_secure_is_no_exemption() -> None:
    with pytest.raises(BadWord):
        exemption_of(item('permit = "tcp to 445"\nsecure = "encrypted"'))
