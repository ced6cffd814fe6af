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
    def meant(word: Keyword | HostName) -> list[str]:
        return list(map(str, HOST.meant_by(word)))

    assert meant(Keyword.ME) == ["10.0.0.1", "10.9.0.1"]
    assert meant(Keyword.DNS_SERVERS) == ["10.0.0.53"]
    assert meant(Keyword.WINS_SERVERS) == []
    assert meant(HostName("a.b")) == ["10.0.0.53", "10.0.0.1"]
    assert meant(HostName("b.a")) == []


def test_each_fact_has_its_word() -> None:
    facts = HostFacts(
        (b"\1" * 4,), (), (b"\2" * 4,), (b"\3" * 4,), (b"\4" * 4,), (b"\5" * 4,), (AddressRange.host(b"\6" * 4),)
    )
    found = [facts.meant_by(word)[0].first[0] for word in Keyword if word is not Keyword.ANY]
    assert found == [1, 2, 3, 4, 5, 6]
