# SPDX-License-Identifier: Apache-2.0
"""Security methods as netsh writes them."""

import pytest

from ringfence.databases.proposal import Limits
from ringfence.transfer.netsh import methods

HOUR = Limits(3600, 100_000 << 10)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ESP[3DES,SHA1]:100000k/3600s", ["esp 3des-sha1"]),
        ("esp[des,md5] AH[MD5]", ["esp des-md5", "ah md5"]),
        ("ESP[3DES, SHA1]", ["esp 3des-sha1"]),
        ("AH[SHA1]+ESP[None,SHA1]:0k/0s", ["esp null-sha1 + ah sha1"]),
        ("ESP[3DES,MD5]+AH[SHA1]", ["esp 3des-md5 + ah sha1"]),
        ("ESP:3DES-SHA1 ESP:AES128-SHA256", ["esp 3des-sha1", "esp aes128-sha256"]),
        ("AES256-SHA1;AES128-SHA256", ["esp aes256-sha1", "esp aes128-sha256"]),
    ],
)
def test_ipsec_offers(text: str, words: list[str]) -> None:
    found = methods.ipsec_offers(text)
    assert list(map(str, found.found)) == words
    assert found.refused == ()
    assert {one.limits for one in found.found} == {HOUR}


def test_lifetimes() -> None:
    found = methods.ipsec_offers("AH[SHA1]:50000k/300s ESP[DES,SHA1]:1k/1s ESP[3DES,SHA1]:2147483647k/999999s")
    assert [one.limits for one in found.found] == [
        Limits(300, 50_000 << 10), Limits(5, 1 << 16), Limits(172_799),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["ESP[3DES,None]", "AH[None]", "AH[SHA1,MD5]", "ESP[x,SHA1]", "what", "ESP[DES,x]"])
def test_offers_that_are_refused(text: str) -> None:
    found = methods.ipsec_offers(f"{text} AH[SHA1]")
    assert list(map(str, found.found)) == ["ah sha1"]
    assert text in found.refused[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3DES-SHA1-2 DES-MD5-1 3des-sha1-3", ["3des-sha1-modp1024", "des-md5-modp768", "3des-sha1-modp2048"]),
        ("3DES-SHA1", ["3des-sha1-modp1024"]),
        ("3DES-SHA1 DHGroup2;AES128-SHA256 DHGroup14", ["3des-sha1-modp1024", "aes128-sha256-modp2048"]),
    ],
)
def test_ipsec_main_modes(text: str, words: list[str]) -> None:
    found = methods.ipsec_main_modes(text, Limits(60))
    assert list(map(str, found.found)) == words
    assert found.refused == ()
    assert {one.limits for one in found.found} == {Limits(60)}


@pytest.mark.parametrize("text", ["3DES-SHA1-4", "what", "x-y-1", "AES128-SHA256 DHGroup24"])
def test_main_modes_that_are_refused(text: str) -> None:
    found = methods.ipsec_main_modes(text, Limits(60))
    assert not found.found
    assert found.refused


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("esp:sha1-aes128+60min+100000kb", ["esp aes128-sha1"]),
        ("ESP:SHA1-None,ah:sha1", ["esp null-sha1", "ah sha1"]),
        ("ah:sha256+esp:sha256-aes192", ["esp aes192-sha256 + ah sha256"]),
        ("ah:aesgmac256+esp:aesgmac256-none", ["esp null-aes256-gmac + ah aes256-gmac"]),
        ("esp:aesgcm128-aesgcm128", ["esp aes128-gcm"]),
    ],
)
def test_firewall_offers(text: str, words: list[str]) -> None:
    found = methods.firewall_offers(text)
    assert list(map(str, found.found)) == words
    assert found.refused == ()
    assert {one.limits for one in found.found} == {HOUR}


def test_firewall_lifetimes() -> None:
    found = methods.firewall_offers("esp:sha1-3des+5min+20480kb, ah:md5+2147483647kb")
    assert [one.limits for one in found.found] == [Limits(300, 20480 << 10), Limits(3600)]


@pytest.mark.parametrize(
    "text",
    ["esp:aesgcm128-aes128", "esp:sha512-aes128", "xmin", "ah:sha1+xkb", "frob:sha1", "60min", "esp:none-aes128",
     "authnoencap:sha1+esp:sha1-none"],
)  # fmt: skip
def test_firewall_offers_that_are_refused(text: str) -> None:
    found = methods.firewall_offers(text)
    assert not found.found
    assert text in found.refused[0]


def test_firewall_main_modes() -> None:
    found = methods.firewall_main_modes("dhgroup14:aes128-sha1, ecdhp384:aes256-sha384,dhgroup2-3des-md5", Limits(60))
    assert list(map(str, found.found)) == ["aes128-sha1-modp2048", "aes256-sha384-ecp384", "3des-md5-modp1024"]
    wrong = methods.firewall_main_modes("dhgroup24:aes256-sha1,aes256-sha1,dhgroup2:x-sha1", Limits(60))
    assert not wrong.found
    assert len(wrong.refused) == 3
