# SPDX-License-Identifier: Apache-2.0
"""Words of netsh."""

import pytest

from ringfence.databases.proposal import Limits
from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_ike_proposal, parse_method
from ringfence.transfer.netsh import writing
from ringfence.transfer.netsh.writing import Script

HOUR = Limits(3600, 100_000 << 10)
HERE = Place("p.toml", 3)


def test_texts() -> None:
    script = Script({})
    assert script.text("a b", HERE, "it") == '"a b"'
    assert script.left_out == []
    assert script.text('say "no"\n\\', HERE, "it") == "\"say 'no'\""
    assert script.left_out[0].place == "p.toml:3"
    script.say("add rule", [("a", "1"), ("b", "")])
    assert script.lines == ["add rule a=1"]


@pytest.mark.parametrize(
    "text", ['a"b\n', "hex:ff00\n", "hex:00\n", "ends in a backslash\\\n", " blanks \n", ""], ids=range(6)
)
def test_keys_that_cannot_be_written(text: str) -> None:
    script = Script({"k.psk": text})
    assert script.key("k.psk", HERE) == '"THE-KEY-OF-k.psk"'
    assert "cannot be written" in script.left_out[0].why
    assert "not at hand" in _why(Script({}))
    assert Script({"k.psk": "a b\n"}).key("k.psk", HERE) == '"a b"'


def _why(script: Script) -> str:
    script.key("k.psk", HERE)
    return script.left_out[0].why


def test_ipsec_offers() -> None:
    assert writing.ipsec_offer(parse_method("esp 3des-sha1 + ah md5", HOUR)) == "AH[MD5]+ESP[3DES,SHA1]:100000k/3600s"
    assert writing.ipsec_offer(parse_method("esp null-md5", Limits(300))) == "ESP[None,MD5]:2147483647k/300s"
    for word in ("esp aes256-gcm", "esp aes128-sha1", "ah sha256", "none sha1", "ah sha1 esn"):
        with pytest.raises(BadWord):
            writing.ipsec_offer(parse_method(word, HOUR))


def test_firewall_offers() -> None:
    for word, said in (
        ("esp aes256-gcm", "esp:aesgcm256-aesgcm256"), ("esp null-aes128-gmac", "esp:aesgmac128-none"),
        ("ah aes192-gmac", "ah:aesgmac192"), ("esp 3des-sha1 + ah sha256", "ah:sha256+esp:sha1-3des"),
        ("esp null-sha1", "esp:sha1-none"), ("none sha256", "authnoencap:sha256"),
    ):  # fmt: skip
        assert writing.firewall_offer(parse_method(word, HOUR)) == f"{said}+60min+100000kb"
    for word in ("esp aes256-sha384", "esp aes256-ctr-sha1", "esp aes256-ccm", "ah sha512", "ah sha1 esn"):
        with pytest.raises(BadWord):
            writing.firewall_offer(parse_method(word, HOUR))


def test_limits() -> None:
    assert not writing.changes_limits(HOUR)
    assert not writing.changes_limits(Limits(3600))
    for limits in (Limits(3601), Limits(60), Limits(3600, 1 << 20), Limits(3600, (1 << 30) + 1), Limits(3600, None, 5)):
        assert writing.changes_limits(limits)


def test_main_modes() -> None:
    assert writing.ipsec_main_mode(parse_ike_proposal("3des-md5-modp2048")) == "3DES-MD5-3"
    assert writing.firewall_main_mode(parse_ike_proposal("aes256-sha384-ecp384")) == "ecdhp384:aes256-sha384"
    for word in ("aes256-sha1-modp1024", "3des-sha256-modp1024", "3des-sha1-ecp256"):
        with pytest.raises(BadWord):
            writing.ipsec_main_mode(parse_ike_proposal(word))
    for word in ("aes256-sha256-x25519", "aes256-sha512-ecp256"):
        with pytest.raises(BadWord):
            writing.firewall_main_mode(parse_ike_proposal(word))


def test_further_key_exchanges_are_not_left_out_in_silence() -> None:
    with pytest.raises(BadWord, match="netsh knows no"):
        writing.firewall_main_mode(parse_ike_proposal("aes256-sha256-ecp256+mlkem768"))
