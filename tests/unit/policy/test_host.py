# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

from ringfence.net.address import AddressRange, parse_address
from ringfence.policy.host import HostFacts
from ringfence.policy.model import HostName, Keyword
from ringfence.policy.networks import Interface, Known, Profiles
from ringfence.policy.scope import LinkKind, Profile

LAN, VPN, DNS = map(parse_address, ("10.0.0.1", "10.9.0.1", "10.0.0.53"))
HOST = HostFacts(
    (LAN, VPN, parse_address("127.0.0.1"), LAN),
    dns_servers=(DNS,),
    names={"a.b": (DNS, LAN)},
    interfaces=(Interface("tun0", LinkKind.REMOTE_ACCESS, (VPN,)),),
)


def test_own_addresses_are_those_that_others_see() -> None:
    assert HOST.own == (LAN, VPN)


def test_interfaces_and_addresses_at_none() -> None:
    profiles = Profiles((Known(Profile.PRIVATE, networks=(AddressRange.parse("10.0.0.0/16"),)),))
    assert list(map(str, HOST.situations(profiles))) == [
        "tun0: public (default)", "this computer: private (network 10.0.0.0/16)",
    ]  # fmt: skip
    said = replace(HOST, profile=Profile.DOMAIN).situations(profiles)
    assert {(one.profile, one.why) for one in said} == {(Profile.DOMAIN, "said")}
    assert HostFacts().situations(profiles) == ()


def test_what_words_stand_for() -> None:
    assert HOST.meant_by(Keyword.ME) == (LAN, VPN)
    assert HOST.meant_by(Keyword.DNS_SERVERS) == (DNS,)
    assert HOST.meant_by(Keyword.WINS_SERVERS) == ()
    assert HOST.meant_by(HostName("a.b")) == (DNS, LAN)
    assert HOST.meant_by(HostName("b.a")) == ()


def test_each_fact_has_its_word() -> None:
    facts = HostFacts((b"\1" * 4,), (), (b"\2" * 4,), (b"\3" * 4,), (b"\4" * 4,), (b"\5" * 4,))
    found = [facts.meant_by(word)[0][0] for word in Keyword if word is not Keyword.ANY]
    assert found == [1, 2, 3, 4, 5]
