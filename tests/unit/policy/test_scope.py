# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord, PolicyError
from ringfence.policy.scope import EVERYWHERE, Device, LinkKind, Profile, Scope, link_word, parse_link

BLOCK = '[[filter]]\nname = "f"\nblock = "any"\n'


def scope(text: str) -> Scope:
    return parse(BLOCK + text, name="p.toml").filters[0].scope


def refused(text: str) -> str:
    with pytest.raises(PolicyError) as error:
        scope(text)
    return str(error.value)


def test_profiles_and_interfaces() -> None:
    assert scope("") == scope('profiles = ["public", "domain", "private"]') == EVERYWHERE
    assert scope('profiles = ["public", "domain"]').profiles == (Profile.DOMAIN, Profile.PUBLIC)
    assert scope('interfaces = ["wireless", "dev eth0"]').interfaces == (LinkKind.WIRELESS, Device("eth0"))
    assert scope('interfaces = "lan, wireless, remote-access, dev eth0"') == EVERYWHERE


def test_what_holds_where() -> None:
    home = Profile.PRIVATE, LinkKind.WIRELESS, "wlan0"
    assert EVERYWHERE.holds(*home)
    assert Scope((Profile.PRIVATE,), (LinkKind.WIRELESS,)).holds(*home)
    assert Scope(interfaces=(LinkKind.LAN, Device("wl*"))).holds(*home)
    assert not Scope(interfaces=(LinkKind.LAN, Device("wlan"))).holds(*home)
    assert not Scope((Profile.DOMAIN, Profile.PUBLIC), (LinkKind.WIRELESS,)).holds(*home)


def test_words() -> None:
    assert str(Scope((Profile.DOMAIN, Profile.PRIVATE), (Device("eth0"),))) == (
        "profiles domain, private; interfaces dev eth0"
    )
    for word in ("lan", "wireless", "remote-access", "dev eth0", "dev wg*", "dev eth0.17", "dev br-0a1b"):
        assert link_word(parse_link(word)) == word
    for word in ("dev", "dev a b", "dev /", 'dev a"', "dev *a", "dev sixteen-letters-", "wired"):
        with pytest.raises(BadWord):
            parse_link(word)


def test_what_is_refused() -> None:
    assert 'profiles[1] is "home", but has to be "domain", "private" or "public"' in refused('profiles = ["home"]')
    assert 'Did you mean "wireless"' in refused('interfaces = "wifi"')
    assert 'Did you mean "remote-access"' in refused('interfaces = "RemoteAccess"')
    assert "is an empty list" in refused("profiles = []")
    assert "dev eth0" in refused('interfaces = "eth0"'), "the cure"
