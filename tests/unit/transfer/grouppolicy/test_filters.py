# SPDX-License-Identifier: Apache-2.0
"""Rules of the firewall in Group Policy objects, as filters."""

import pytest
from unit.transfer.grouppolicy.objects import registry

from ringfence.policy.model import ANY, ME, Filter, Reading, Verb
from ringfence.policy.terms import Access, Security
from ringfence.transfer.base import Imported
from ringfence.transfer.grouppolicy.importing import read_registry

WHO = "RMAuth=D:(A;;CC;;;S-1-5-21-7)|"


def imported(text: str) -> Imported:
    return read_registry(registry({"FirewallRules": {"{id}": f"v2.10|Active=TRUE|Name=n|{text}"}}), "x.pol")


def item(text: str) -> Filter:
    found = imported(text)
    assert not found.left_out
    (one,) = found.policy.filters
    return one


def test_a_rule_that_blocks() -> None:
    one = item("Action=Block|Dir=Out|Protocol=6|RPort=23|RPort2_10=2000-2010|RA4=10.0.0.0/8|Desc=d|")
    assert (one.verb, one.direction, one.mirrored, one.local) == (Verb.BLOCK, Reading.OUT, False, ME)
    assert [str(each) for each in one.traffic] == ["tcp to 23", "tcp to 2000-2010"]
    assert [str(each) for each in one.remote] == ["10.0.0.0/8"]
    assert (one.description, str(one.place)) == ("d", "gpo")


def test_ports_inward_are_this_computers() -> None:
    one = item("Action=Block|Dir=In|Protocol=17|LPort=53|RPort=1024|LA6=2001:db8::/64|")
    assert [str(each) for each in one.traffic] == ["udp from 1024 to 53"]
    assert one.direction is Reading.IN
    assert [str(each) for each in one.local] == ["2001:db8::/64"]


def test_messages_of_icmp() -> None:
    one = item("Action=Block|Dir=In|Protocol=58|ICMP6=128:*|ICMP6=1:4|")
    assert [str(each) for each in one.traffic] == ["icmpv6 echo-request", "icmpv6 1/4"]


@pytest.mark.parametrize(
    ("fields", "secure"),
    [
        ("Security=Authenticate|", Security.AUTHENTICATED),
        ("Security=AuthenticateEncrypt|", Security.ENCRYPTED),
        ("Security=Authenticate|Security2_9=An-NoEncap|", Security.NO_ENCAPSULATION),
        ("Security=AuthenticateEncrypt|Security2=AnE-Nego|", Security.NEGOTIATED),
    ],
)
def test_what_is_allowed_if_it_is_secure(fields: str, secure: Security) -> None:
    one = item(f"Action=Allow|Dir=In|Protocol=6|LPort=3389|{fields}{WHO}")
    assert (one.verb, one.secure, one.mirrored) == (Verb.PERMIT, secure, True)
    assert one.allow == Access(("S-1-5-21-7",))


def test_what_overrides_blocks() -> None:
    one = item(f"Action=ByPass|Dir=In|Security=Authenticate|{WHO}")
    assert (one.override_block, one.mirrored, one.remote) == (True, False, ANY)
    assert item("Action=Allow|Dir=Out|AuthByPassOut=TRUE|Security=Authenticate|").override_block


def test_what_is_allowed_as_it_is_needs_no_filter() -> None:
    found = imported("Action=Allow|Dir=In|Protocol=6|LPort=80|App=%ProgramFiles%\\x.exe|Edge=TRUE|LPort2_20=mDNS|")
    assert not found.policy.filters
    assert not found.left_out
    (note,) = found.notes
    assert note.words == "1 rule of the firewall"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Dir=Out|Protocol=6|RPort=23|", "it has no Action"),
        ("Action=Block|Protocol=6|RPort=23|", "it has no Dir"),
        ("Action=Block|Dir=In|Protocol=6|LPort=RPC|", "ports that only Windows knows"),
        ("Action=Block|Dir=In|Protocol=6|LPort2_20=mDNS|", "its LPort2_20 is said"),
        ("Action=Block|Dir=Out|App=x.exe|", "its App is said"),
        ("Action=Block|Dir=Out|Svc=*|", "its Svc is said"),
        ("Action=Block|Dir=Out|TTK=Proximity|", "its TTK is said"),
        ("Action=Block|Dir=Out|Protocol=6|RPort=1|RA42=IntErnet|", "its RA42 is said"),
        (f"Action=Block|Dir=Out|Protocol=6|RPort=1|{WHO}", "its RMAuth is said"),
        ("Action=Block|Dir=In|", "whatever begins a connection"),
        ("Action=Block|Dir=In|Protocol=6|RPort=80|", "by the port that they come from"),
        ("Action=Block|Dir=In|Protocol=6|ICMP4=8:*|", "its ICMP4 is for another protocol"),
        ("Action=Block|Dir=In|Protocol=1|LPort=8|", "ports go with tcp or udp only"),
        ("Action=ByPass|Dir=In|Security=Authenticate|", "for no computers"),
        ("Action=Block|Dir=In|Protocol=6|LPort=70000|", "no number up to 65535"),
    ],
)
def test_what_no_filter_says_is_left_out(text: str, why: str) -> None:
    found = imported(text)
    assert not found.policy.filters
    (left,) = found.left_out
    assert why in left.why
    assert left.words == 'rule of the firewall "n"'
