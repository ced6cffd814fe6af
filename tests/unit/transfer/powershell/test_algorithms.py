# SPDX-License-Identifier: Apache-2.0
"""Proposals as security methods, and back."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_ike_proposal, parse_method
from ringfence.transfer.powershell.algorithms import (
    group_name,
    group_of,
    main_mode_method,
    main_mode_words,
    quick_mode_method,
    quick_mode_words,
)
from ringfence.transfer.powershell.values import Kind, Thing, Value

HOUR = Limits(3600, 100_000 << 10)


def quick(said: str) -> Thing:
    pairs = [word.partition("=") for word in said.split()]
    values: dict[str, Value] = {name: value for name, _, value in pairs}
    if "Encapsulation" in values:
        values["Encapsulation"] = tuple(str(values["Encapsulation"]).split(","))
    return Thing(Kind.QUICK_MODE_PROPOSAL, values, 1)


KNOWN = {
    "Encapsulation=ESP ESPHash=SHA1 Encryption=DES3": "esp 3des-sha1",
    "Encapsulation=ESP ESPHash=SHA256 Encryption=AES128": "esp aes128-sha256",
    "Encapsulation=ESP ESPHash=AESGMAC256 Encryption=AESGCM256": "esp aes256-gcm",
    "Encapsulation=ESP ESPHash=SHA1 Encryption=None": "esp null-sha1",
    "Encapsulation=ESP ESPHash=AESGMAC128 Encryption=None": "esp null-aes128-gmac",
    "Encapsulation=AH AHHash=SHA256": "ah sha256",
    "Encapsulation=AH AHHash=AESGMAC192": "ah aes192-gmac",
    "Encapsulation=AH,ESP AHHash=MD5 ESPHash=SHA1 Encryption=DES": "esp des-sha1 + ah md5",
    "Encapsulation=None ESPHash=SHA256 Encryption=None": "none sha256",
}


@pytest.mark.parametrize(("said", "word"), KNOWN.items())
def test_quick_mode(said: str, word: str) -> None:
    method = quick_mode_method(quick(said))
    assert method == parse_method(word, HOUR)
    words = quick_mode_words(method)
    assert quick_mode_method(quick(" ".join(f"{name}={value}" for name, value in words.items()))) == method


def test_gcm_alone_will_do() -> None:
    assert quick_mode_method(quick("Encapsulation=ESP Encryption=AESGCM128")) == parse_method("esp aes128-gcm", HOUR)


def test_lifetimes() -> None:
    found = quick_mode_method(quick("Encapsulation=AH AHHash=SHA1 MaxMinutes=5 MaxKiloBytes=2147483647"))
    assert found.limits == Limits(300)
    assert quick_mode_words(found)["MaxKiloBytes"] == "2147483647"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Encapsulation=ESP ESPHash=None Encryption=AES256", "no integrity"),
        ("Encapsulation=ESP", "no integrity"),
        ("ESPHash=SHA1 Encryption=AES128", "without -Encapsulation"),
        ("Encapsulation=ESP Encryption=AESGCM256 ESPHash=SHA1", "goes with -ESPHash AESGMAC256"),
        ("Encapsulation=ESP Encryption=AES128 ESPHash=AESGMAC128", "goes with AESGCM128"),
        ("Encapsulation=ESP Encryption=AES128 ESPHash=SHA384", "no integrity SHA384"),
        ("Encapsulation=AH ESPHash=SHA1", "its -Encapsulation no ESP"),
        ("Encapsulation=AH", "names no hash"),
        ("Encapsulation=AH AHHash=SHA1 MaxMinutes=4", "takes 5 to 2879"),
        ("Encapsulation=AH AHHash=SHA1 MaxKiloBytes=5", "takes 20480 to"),
    ],
)
def test_what_is_no_quick_mode_method(said: str, why: str) -> None:
    with pytest.raises(BadWord, match=why):
        quick_mode_method(quick(said))


def test_main_mode() -> None:
    found = main_mode_method(Thing(Kind.MAIN_MODE_PROPOSAL, {"KeyExchange": "DH20"}, 1), Limits(60))
    assert found == parse_ike_proposal("aes256-sha384-ecp384", Limits(60))
    assert main_mode_words(found) == {"Encryption": "AES256", "Hash": "SHA384", "KeyExchange": "DH20"}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"KeyExchange": "DH24"},
        {"KeyExchange": "DH2", "Hash": "None"},
        {"KeyExchange": "DH2", "Encryption": "AESGCM128"},
    ],
)
def test_what_is_no_main_mode_method(said: dict[str, Value]) -> None:
    with pytest.raises(BadWord):
        main_mode_method(Thing(Kind.MAIN_MODE_PROPOSAL, said, 1), Limits(60))


@pytest.mark.parametrize(
    "word", ["esp chacha20-poly1305", "esp aes256-gcm esn", "esp aes256-sha512", "ah sha384", "esp aes256-ctr-sha256"]
)
def test_what_windows_has_not(word: str) -> None:
    with pytest.raises(BadWord):
        quick_mode_words(parse_method(word, HOUR))


@pytest.mark.parametrize(
    "limits", [Limits(), Limits(61), Limits(3600, 1 << 16), Limits(3600, packets=5), Limits(200_000)]
)
def test_lifetimes_that_windows_has_not(limits: Limits) -> None:
    with pytest.raises(BadWord):
        quick_mode_words(parse_method("ah sha1", limits))


def test_groups() -> None:
    assert group_name(group_of("DH14")) == "DH14"
    with pytest.raises(BadWord, match="DH24 is not served"):
        group_of("DH24")
    with pytest.raises(BadWord):
        group_name(DhGroup.CURVE25519)
    with pytest.raises(BadWord):
        main_mode_words(parse_ike_proposal("aes256-sha256-x25519"))


def test_further_key_exchanges_are_not_left_out_in_silence() -> None:
    with pytest.raises(BadWord, match="further key exchanges Windows does not have"):
        main_mode_words(parse_ike_proposal("aes256-sha256-ecp256+mlkem768"))
