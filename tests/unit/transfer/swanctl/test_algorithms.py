# SPDX-License-Identifier: Apache-2.0
"""Proposals of strongSwan and Libreswan in our words, and back."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import AH_WORDS, ESP_WORDS, IKE_WORDS, parse_method
from ringfence.testing.hosts import ESP_GCM
from ringfence.transfer.swanctl.algorithms import ah_methods, esp_methods, ike_proposals, ike_word, transform_word

LIMITS = Limits(28800)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("aes256-sha256-modp2048", ["aes256-sha256-modp2048"]),
        ("aes128-sha256-prfsha256-x25519", ["aes128-sha256-x25519"]),
        ("3des-md5-modp1024!", ["3des-md5-modp1024"]),
        ("aes256-sha2;dh19", ["aes256-sha256-ecp256"]),
        ("aes_cbc256-sha2_512-dh20", ["aes256-sha512-ecp384"]),
        ("aes256-sha1", ["aes256-sha1-modp2048"]),
        ("aes256-aes128-sha1-modp2048", ["aes256-sha1-modp2048", "aes128-sha1-modp2048"]),
        ("aes256+aes128-sha1-dh14+dh31", ["aes256-sha1-modp2048", "aes256-sha1-x25519", "aes128-sha1-modp2048",
                                          "aes128-sha1-x25519"]),
    ],
)  # fmt: skip
def test_main_mode(word: str, meant: list[str]) -> None:
    found = ike_proposals(word, LIMITS, only_first=False, group=DhGroup.MODP_2048)
    assert list(map(str, found)) == meant
    assert {one.limits for one in found} == {LIMITS}
    assert list(map(str, ike_proposals(word, LIMITS, only_first=True, group=DhGroup.MODP_2048))) == meant[:1]


@pytest.mark.parametrize(
    "word", ["aes256gcm16-aes256-prfsha384-ecp384", "aes256gcm16-ecp384", "aes256-aesxcbc-modp2048",
             "aes256-sha256-prfsha384-ecp384",
             "camellia128-sha1-modp2048", "aes256-modp2048", "aes128-sha1", "", "aes128-sha256-modp2048s256"],
)  # fmt: skip
def test_what_main_mode_has_not(word: str) -> None:
    with pytest.raises(BadWord):
        ike_proposals(word, LIMITS, only_first=False)


@pytest.mark.parametrize(
    ("word", "meant", "groups"),
    [
        ("aes128gcm128-ecp256", ["esp aes128-gcm"], [DhGroup.ECP_256]),
        ("aes128gcm16-esn-noesn", ["esp aes128-gcm esn", "esp aes128-gcm"], []),
        ("aes_gcm256-null", ["esp aes256-gcm"], []),
        ("aes_gcm_a_128-null", ["esp aes128-gcm-8"], []),
        ("aes_ccm256-none", ["esp aes256-ccm"], [None]),
        ("aes256-sha2_512;modp3072", ["esp aes256-sha512"], [DhGroup.MODP_3072]),
        ("null-sha256", ["esp null-sha256"], []),
        ("aes128gmac", ["esp null-aes128-gmac"], []),
        ("chacha20poly1305", ["esp chacha20-poly1305"], []),
        ("aes192ctr-aes_xcbc", ["esp aes192-ctr-aes-xcbc"], []),
    ],
)
def test_esp(word: str, meant: list[str], groups: list[DhGroup | None]) -> None:
    methods, found = esp_methods(word, only_first=False)
    assert (list(map(str, methods)), found) == (meant, groups)


def test_ah() -> None:
    methods, groups = ah_methods("sha256-sha1-aes256gmac-modp2048-esn", only_first=False)
    assert list(map(str, methods)) == ["ah sha256 esn", "ah sha1 esn", "ah aes256-gmac esn"]
    assert groups == [DhGroup.MODP_2048]
    for word in ("aes128-sha1", "modp2048"):
        with pytest.raises(BadWord):
            ah_methods(word, only_first=False)
    with pytest.raises(BadWord):
        esp_methods("aes128", only_first=False)


def test_every_method_out_and_in_again() -> None:
    for word in ESP_WORDS:
        method = parse_method(f"esp {word}")
        text = transform_word(method.transforms[0], DhGroup.CURVE25519)
        assert esp_methods(text, only_first=True) == ([method], [DhGroup.CURVE25519])
    for word in AH_WORDS:
        method = parse_method(f"ah {word} esn")
        assert ah_methods(transform_word(method.transforms[0], None), only_first=True) == ([method], [])
    for proposal in IKE_WORDS.values():
        for only_first in {False, not proposal.cipher.row.combined}:
            assert ike_proposals(ike_word(proposal), proposal.limits, only_first=only_first) == [proposal]


@pytest.mark.parametrize("word", ["aes256gcm16-prfsha384-ecp384", "aes256gcm128-sha384-ecp384"])
def test_combined_modes_are_for_ikev2(word: str) -> None:
    [found] = ike_proposals(word, LIMITS, only_first=False)
    assert str(found) == "aes256-gcm-sha384-ecp384"
    with pytest.raises(BadWord, match="in IKEv2"):
        ike_proposals(word, LIMITS, only_first=True)


def test_further_key_exchanges_both_ways() -> None:
    (hybrid,) = ike_proposals("aes256-sha256-x25519-ke1_mlkem768-ke2_ecp384", Limits(60), only_first=False)
    assert str(hybrid) == "aes256-sha256-x25519+mlkem768+ecp384"
    assert ike_word(hybrid) == "aes256-sha256-x25519-ke1_mlkem768-ke2_ecp384"
    both = ike_proposals("aes256-sha256-x25519-ke1_mlkem1024-ke1_none", Limits(60), only_first=False)
    assert [str(one) for one in both] == ["aes256-sha256-x25519+mlkem1024", "aes256-sha256-x25519"]
    repeated = transform_word(ESP_GCM, hybrid.group, hybrid.further)
    assert repeated == "aes256gcm128-x25519-ke1_mlkem768-ke2_ecp384"
    assert esp_methods("aes256gcm128-x25519-ke1_mlkem768-ke1_none", only_first=False)[1] == [DhGroup.CURVE25519]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("aes256-sha256-mlkem768", 'no "mlkem768"'),
        ("aes256-sha256-x25519-ke1_frodoas1", 'no "ke1_frodoas1"'),
        ("aes256-sha256-x25519-ke1_mlkem512", "no mlkem512"),
        ("aes256-sha256-x25519-ke1_x25519", "each once"),
    ],
)
def test_further_key_exchanges_that_cannot_be(text: str, why: str) -> None:
    with pytest.raises(BadWord, match=why):
        ike_proposals(text, Limits(60), only_first=False)


def test_contracts_have_several_only_by_repeating_those_of_main_mode() -> None:
    for read in (esp_methods, ah_methods):
        with pytest.raises(BadWord, match="several key exchanges"):
            read("aes256gcm128-x25519-ke1_mlkem768", only_first=False)
