# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.net.address import parse_address
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.networks import NO_PROFILES, Interface, Profiles, Situation, moves
from ringfence.policy.scope import LinkKind, Profile, Scope

ROUTER, ME = parse_address("10.1.0.1"), parse_address("10.1.2.3")
OFFICE = Interface("eth0", LinkKind.LAN, (ME, parse_address("fe80::1")), (ROUTER,), ("hq.corp.example",))
CAFE = Interface("wlan0", LinkKind.WIRELESS, (parse_address("10.1.2.9"),), (), ("cafe.example",))


def profiles(text: str) -> Profiles:
    return parse(text, name="p.toml").profiles


def refused(text: str) -> str:
    with pytest.raises(PolicyError) as error:
        profiles(text)
    return str(error.value)


def test_nothing_said_is_public() -> None:
    assert profiles("") == NO_PROFILES
    assert NO_PROFILES.of(OFFICE) == (Profile.PUBLIC, "default")
    assert profiles('[profile]\ndefault = "private"\n').of(OFFICE) == (Profile.PRIVATE, "default")


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ('networks = ["192.0.2.0/24", "10.1.0.0/16"]', "network 10.1.0.0/16"),
        ('gateways = "10.1.0.1"', "gateway 10.1.0.1"),
        ('interfaces = ["wireless", "dev eth*"]', "dev eth*"),
        ('dns-suffixes = ["Corp.Example."]', "DNS suffix hq.corp.example"),
    ],
)
def test_how_a_network_is_known(setting: str, why: str) -> None:
    known = profiles(f"[profile.domain]\n{setting}\n")
    assert known.of(OFFICE) == (Profile.DOMAIN, why)
    assert known.of(Interface("lo1")) == (Profile.PUBLIC, "default")


def test_all_settings_of_a_table_have_to_fit() -> None:
    known = profiles('[profile.domain]\nnetworks = "10.0.0.0/8"\ndns-suffixes = "corp.example"\n')
    assert known.of(OFFICE) == (Profile.DOMAIN, "network 10.0.0.0/8, DNS suffix hq.corp.example")
    assert known.of(CAFE) == (Profile.PUBLIC, "default")
    assert profiles('[profile.domain]\ndns-suffixes = "p.example"\n').of(OFFICE) == (Profile.PUBLIC, "default")


def test_several_tables_and_the_first_profile_that_fits() -> None:
    text = (
        '[profile.private]\nnetworks = "10.0.0.0/8"\n'
        '[[profile.domain]]\ninterfaces = "dev wlan0"\n[[profile.domain]]\ngateways = "10.1.0.0/24"\n'
    )
    known = profiles(text)
    assert (known.of(OFFICE)[0], known.of(CAFE)[0]) == (Profile.DOMAIN, Profile.DOMAIN)
    assert known.of(Interface("eth1", addresses=(parse_address("10.9.9.9"),)))[0] is Profile.PRIVATE


def test_where_a_statement_holds() -> None:
    here = Situation("eth0", LinkKind.LAN, Profile.DOMAIN, "dev eth0", OFFICE.addresses)
    assert here.within(Scope((Profile.DOMAIN,)))
    assert not here.within(Scope((Profile.PUBLIC,)))
    assert str(here) == "eth0: domain (dev eth0)"


def test_what_is_refused() -> None:
    assert "profile: domain does not say how such a network is known" in refused("[profile.domain]\n")
    assert 'domain.networks[1] is "corp"' in refused('[profile.domain]\nnetworks = ["corp"]\n')
    assert "which is no DNS suffix" in refused('[profile.domain]\ndns-suffixes = "a b"\n')
    assert 'there is no setting "home"' in refused('[profile.home]\nnetworks = "10.0.0.0/8"\n')
    assert 'default is "home"' in refused('[profile]\ndefault = "home"\n')
    assert "has to be a table" in refused("profile = 1\n")
    assert "domain is 1, but has to be a table" in refused("[profile]\ndomain = 1\n")


def test_moves() -> None:
    at_home = Situation("eth0", LinkKind.LAN, Profile.PRIVATE, "gateway 10.0.0.1", ())
    out = Situation("eth0", LinkKind.LAN, Profile.PUBLIC, "default", ())
    tunnel = Situation("tun0", LinkKind.REMOTE_ACCESS, Profile.DOMAIN, "dev tun0", ())
    assert list(moves([at_home], [out])) == [("eth0", "public", "default", "private")]
    assert list(moves([at_home], [at_home, tunnel])) == [("tun0", "domain", "dev tun0", "")]
    assert list(moves([tunnel], [])) == [("tun0", "", "", "domain")]
    nameless = Situation("", LinkKind.LAN, Profile.PUBLIC, "default", ())
    assert list(moves([at_home], [nameless, at_home])) == []
