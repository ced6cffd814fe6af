# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.crypto.suites import Authenticator, Cipher, DhGroup, Encryption, Hash, Integrity
from ringfence.databases.proposal import IkeProposal, Limits, Protocol, SecurityMethod, Transform
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import (
    AH_WORDS,
    ESP_WORDS,
    GROUP_WORDS,
    IKE_WORDS,
    MAIN_MODE_DEFAULT,
    QUICK_MODE_DEFAULT,
    for_pfs,
    in_ikev2,
    parse_group,
    parse_ike_proposal,
    parse_method,
    weak,
)
from ringfence.testing.associations import AH_SUITES, ESP_SUITES

GCM = Transform(Protocol.ESP, Cipher(Encryption.AES_GCM_16, 256))
CBC = Transform(Protocol.ESP, Cipher(Encryption.AES_CBC, 256), Authenticator(Integrity.HMAC_SHA256_128))
AH = Transform(Protocol.AH, authenticator=Authenticator(Integrity.HMAC_SHA1_96))


@pytest.mark.parametrize(
    ("text", "transforms"),
    [
        ("esp aes256-gcm", (GCM,)),
        ("ESP AES256GCM", (GCM,)),
        ("esp aes256-gcm-16", (GCM,)),
        ("esp aes256-sha256 + ah sha1", (CBC, AH)),
        ("esp aes256-sha2-256+ah sha1", (CBC, AH)),
        ("ah sha1", (AH,)),
        ("esp aes256-gcm esn", (Transform(GCM.protocol, GCM.cipher, esn=True),)),
        ("ah aes128-gmac", (Transform(Protocol.AH, authenticator=Authenticator(Integrity.AES_GMAC, 16)),)),
        ("esp null-sha256", (Transform(Protocol.ESP, Cipher(Encryption.NULL, 0), CBC.authenticator),)),
    ],
)
def test_quick_mode_words(text: str, transforms: tuple[Transform, ...]) -> None:
    assert parse_method(text, Limits(60)) == SecurityMethod(transforms, Limits(60))


def test_every_suite_has_a_word_that_means_it() -> None:
    assert set(ESP_WORDS.values()) == set(ESP_SUITES)
    assert set(AH_WORDS.values()) == set(AH_SUITES)
    for word, transform in ESP_WORDS.items():
        assert parse_method(f"esp {word}").transforms == (transform,)
        assert parse_method(f"esp {word.replace('-', '')}").transforms == (transform,)
    for transform in AH_SUITES:
        assert parse_method(str(transform)).transforms == (transform,)
    for word, proposal in IKE_WORDS.items():
        assert str(parse_ike_proposal(word)) == word
        assert parse_ike_proposal(word.replace("-", "")) == IkeProposal(
            proposal.cipher, proposal.hash, proposal.group, Limits()
        )


@pytest.mark.parametrize(
    ("text", "why", "cure"),
    [
        ("aes256-gcm", "begin with esp or ah", "esp aes256-gcm"),
        ("", "begin with esp or ah", ""),
        ("esp", "not understood", ""),
        ("esp aes256-gcm sha1", "not understood", ""),
        ("esp aes256-gmc", 'ESP has no suite "aes256-gmc"', "aes256-gcm"),
        ("esp aes256", 'no suite "aes256"', ""),
        ("ah sha257", 'AH has no suite "sha257"', "sha256"),
        ("ah sha1 + esp aes256-gcm", "ESP with AH around it", ""),
        ("esp aes256-gcm + esp aes256-gcm", "ESP with AH around it", ""),
        ("esp aes256-gcm + ah sha1 + ah sha1", "ESP with AH around it", ""),
    ],
)
def test_what_is_no_method(text: str, why: str, cure: str) -> None:
    with pytest.raises(BadWord, match=why) as caught:
        parse_method(text)
    assert cure in caught.value.cure


def test_main_mode_words() -> None:
    proposal = parse_ike_proposal("aes256-sha384-ecp384", Limits(60))
    assert proposal == IkeProposal(Cipher(Encryption.AES_CBC, 256), Hash.SHA384, DhGroup.ECP_384, Limits(60))
    with pytest.raises(BadWord, match="no main mode method") as caught:
        parse_ike_proposal("aes256-sha256")
    assert "Did you mean" in caught.value.cure
    with pytest.raises(BadWord, match="no Diffie-Hellman group") as caught:
        parse_group("dh14")
    assert "modp2048" in caught.value.cure
    assert [parse_group(word) for word in GROUP_WORDS] == list(DhGroup)[:-3]


def test_further_key_exchanges() -> None:
    hybrid = parse_ike_proposal("aes256-sha256-x25519+mlkem768", Limits(60))
    assert (hybrid.group, hybrid.further) == (DhGroup.CURVE25519, (DhGroup.ML_KEM_768,))
    assert (
        str(parse_ike_proposal("AES128-SHA384-ecp384 + mlkem1024 + x25519")) == "aes128-sha384-ecp384+mlkem1024+x25519"
    )
    assert weak([parse_ike_proposal("aes128-sha256-ecp256+modp1024")]) == ("modp1024",)


@pytest.mark.parametrize(
    ("text", "why", "cure"),
    [
        ("aes256-sha256-mlkem768", "no main mode method", "aes256-sha256-"),
        ("aes256-sha256-mlkem768+x25519", "no main mode method", ""),
        ("aes256-sha256-x25519+mlkem", '"mlkem" is no key exchange', "mlkem768"),
        ("aes256-sha256-x25519+", '"" is no key exchange', ""),
        ("aes256-sha256-x25519+x25519", "each once", ""),
        ("aes256-sha256-x25519+mlkem768+mlkem768", "each once", ""),
        ("aes256-sha256-modp2048+" + "+".join(list(GROUP_WORDS)[-8:]), "up to 7", ""),
        ("aes256-sha256-x25519+mlkem512", "the crypto library of this computer has no mlkem512", "mlkem768"),
    ],
)
def test_what_are_no_further_key_exchanges(text: str, why: str, cure: str) -> None:
    with pytest.raises(BadWord, match=why) as caught:
        parse_ike_proposal(text)
    assert cure in caught.value.cure


def test_ikev2_offers_more_than_the_default() -> None:
    default = tuple(parse_ike_proposal(word, Limits(90)) for word in MAIN_MODE_DEFAULT)
    classic = parse_ike_proposal("3des-sha1-modp1024")
    first, *others = in_ikev2((*default, classic))
    assert (str(first), first.limits) == ("aes256-sha256-x25519+mlkem768", Limits(90))
    assert others == [*default, classic]
    for chosen in (default[:1], default[::-1]):
        assert in_ikev2(chosen) == chosen, "who names methods means those"


def test_pfs_repeats_what_any_peer_can_do() -> None:
    hybrid, plain = map(parse_ike_proposal, ("aes256-sha256-x25519+mlkem768", "aes256-sha256-ecp256"))
    assert for_pfs((hybrid, plain)) is plain
    assert for_pfs((hybrid,)) is hybrid


def test_weak_algorithms_are_named() -> None:
    parts = [parse_method("esp des-md5"), parse_ike_proposal("3des-sha1-modp1024"), DhGroup.MODP_768, None]
    assert weak(parts) == ("des", "md5", "3des", "modp1024", "modp768")
    assert weak([*map(parse_method, QUICK_MODE_DEFAULT), *map(parse_ike_proposal, MAIN_MODE_DEFAULT)]) == ()
