# SPDX-License-Identifier: Apache-2.0
"""Rules of the firewall as filters."""

import pytest

from ringfence.policy.errors import BadWord
from ringfence.policy.model import Reading, Verb
from ringfence.policy.terms import Access, Security
from ringfence.transfer.consec import SECURED
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.firewall import read_filter
from ringfence.transfer.netsh.session import Session

BLOCK = {"name": "a", "dir": "in", "action": "block", "remoteip": "10.0.0.0/8"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, ["any"]),
        ({"protocol": "tcp", "localport": "80,443"}, ["tcp to 80", "tcp to 443"]),
        ({"protocol": "tcp", "remoteport": "1024-65535", "localport": "80"}, ["tcp from 1024-65535 to 80"]),
        ({"protocol": "tcp", "remoteport": "25", "dir": "out"}, ["tcp to 25"]),
        ({"protocol": "icmpv4:8,any"}, ["icmp echo-request"]),
        ({"protocol": "icmpv4:3,4"}, ["icmp 3/4"]),
        ({"protocol": "icmpv6:any,any"}, ["icmpv6"]),
        ({"protocol": "icmpv4"}, ["icmp"]),
        ({"protocol": "47"}, ["gre"]),
    ],
)
def test_traffic(said: dict[str, str], words: list[str]) -> None:
    found = read_filter(Session(), BLOCK | said)
    assert found is not None
    assert list(map(str, found.traffic)) == words


def test_direction_and_ends() -> None:
    session = Session()
    found = read_filter(session, BLOCK | {"remoteip": "10.0.0.0/8,192.0.2.1", "localip": "10.1.1.1", "enable": "no"})
    assert found is not None
    assert (found.direction, found.mirrored, found.enabled, len(found.remote)) == (Reading.IN, False, False, 2)
    assert "no state" in session.notes[0].why


def test_what_is_allowed_needs_no_filter() -> None:
    session = Session()
    assert read_filter(session, BLOCK | {"action": "allow"}) is None
    assert session.notes


@pytest.mark.parametrize(
    "said",
    [
        {"program": "c:\\x.exe"}, {"service": "dns"}, {"security": "authenticate"}, {"action": "bypass"},
        {"action": "bypass", "security": "authenticate"}, {"action": "allow", "security": "x"},
        {"action": "allow", "security": "authenc", "rmtcomputergrp": "x"},
        {"action": "x"}, {"remoteip": "any"}, {"remoteip": "any", "protocol": "udp"}, {"program": "system"},
        {"protocol": "tcp", "remoteport": "53"}, {"protocol": "tcp", "dir": "out", "localport": "53"},
        {"dir": "x"}, {"remoteip": "localsubnet6"}, {"protocol": "tcp", "localport": "rpc"}, {"protocol": "x"},
        {"protocol": "icmpv4:x"},
    ],
)  # fmt: skip
def test_refused(said: dict[str, str]) -> None:
    with pytest.raises((Refused, BadWord)):
        read_filter(Session(), BLOCK | said)


SID = "S-1-5-21-1-2-3-1114"
SECURE = BLOCK | {"action": "allow", "protocol": "tcp", "localport": "445"}


@pytest.mark.parametrize(
    ("said", "secure", "override"),
    [
        ({"security": "authenticate"}, Security.AUTHENTICATED, False),
        ({"security": "AuthEnc"}, Security.ENCRYPTED, False),
        ({"security": "authdynenc"}, Security.NEGOTIATED, False),
        ({"security": "authnoencap"}, Security.NO_ENCAPSULATION, False),
        ({"security": "authenticate", "action": "bypass"}, Security.AUTHENTICATED, True),
    ],
)
def test_what_is_allowed_if_it_is_secure(said: dict[str, str], secure: Security, override: bool) -> None:
    session = Session()
    who = {"rmtcomputergrp": f"D:(A;;CC;;;{SID})", "rmtusrgrp": f"D:(D;;CC;;;{SID})"}
    found = read_filter(session, SECURE | who | said)
    assert found is not None
    assert (found.verb, found.secure) == (Verb.PERMIT, secure)
    assert (found.override_block, found.mirrored) == (override, not override)
    assert (found.allow, found.deny) == (Access((SID,)), Access((), (SID,)))
    assert [one.why for one in session.notes] == ([] if override else [SECURED])


def test_a_bypass_outward_needs_no_computers() -> None:
    found = read_filter(Session(), SECURE | {"action": "bypass", "security": "authenc", "dir": "out"})
    assert found is not None
    assert found.override_block
