# SPDX-License-Identifier: Apache-2.0
"""Suites that are written are read as what they were made of."""

import pytest

from ringfence.databases.proposal import Limits
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_group, parse_ike_proposal, parse_method
from ringfence.policy.terms import (
    Anonymous,
    Auth,
    AuthorityKind,
    Certificate,
    Criteria,
    Holder,
    Kerberos,
    NameKind,
    Ntlm,
    PskFile,
    SecondAuth,
    Signing,
    UserKerberos,
    UserNtlm,
)
from ringfence.transfer.grouppolicy import suites
from ringfence.transfer.grouppolicy.grammar import FIRST, checked
from ringfence.transfer.grouppolicy.sets import SHAPES, SetKind
from ringfence.transfer.grouppolicy.write_suites import (
    Fields,
    first_fields,
    main_mode_fields,
    pfs_field,
    quick_mode_fields,
    second_fields,
)

LIMITS = Limits(3600, 100_000 << 10)
FULL = Certificate(
    "CN=R", Signing.ECDSA_P384, AuthorityKind.INTERMEDIATE, Holder.COMPUTER, True, True, True, ("1.2", "1.3"),
    NameKind.EMAIL, "a@b", "00" * 20, True, Criteria.SELECT,
)  # fmt: skip


@pytest.mark.parametrize("way", [Kerberos(), Ntlm(), Anonymous(), PskFile("k"), Certificate("CN=R"), FULL])
def test_first_authentication(way: Auth) -> None:
    said = checked(FIRST, first_fields(way, str), SHAPES[SetKind.AUTH1].suite)
    assert suites.first_auth(said, PskFile, lambda why: None) == way


@pytest.mark.parametrize(
    "way",
    [UserKerberos(), UserNtlm(), Anonymous(), Certificate("CN=U", holder=Holder.USER), Certificate("H", health=True)],
)
def test_second_authentication(way: SecondAuth) -> None:
    said = checked(FIRST, second_fields(way), SHAPES[SetKind.AUTH2].suite)
    assert suites.second_auth(said, lambda why: None) == way


@pytest.mark.parametrize("word", ["des-md5-modp768", "3des-sha1-modp1024", "aes128-sha256-modp2048",
                                  "aes192-sha384-ecp256", "aes256-sha384-ecp384"])  # fmt: skip
def test_main_mode(word: str) -> None:
    method = parse_ike_proposal(word, LIMITS)
    said = checked(FIRST, main_mode_fields(method), SHAPES[SetKind.CRYPTO1].suite)
    assert suites.main_mode_method(said, LIMITS) == method


@pytest.mark.parametrize("word", [
    "esp aes128-sha1", "esp 3des-md5", "esp null-sha256", "esp null-aes192-gmac", "esp aes256-gcm", "ah sha1",
    "ah aes128-gmac", "esp aes128-sha1 + ah sha1", "none sha256",
])  # fmt: skip
def test_quick_mode(word: str) -> None:
    for limits in (LIMITS, Limits(300), Limits(2879 * 60, 20_480 << 10)):
        method = parse_method(word, limits)
        said = checked(FIRST, quick_mode_fields(method), SHAPES[SetKind.CRYPTO2].suite)
        assert suites.quick_mode_method(said) == method


@pytest.mark.parametrize(
    ("fields", "skips"),
    [
        (quick_mode_fields(parse_method("esp aes128-sha1", LIMITS)), None),
        (quick_mode_fields(parse_method("esp aes256-gcm", LIMITS)), "2.0"),
        (quick_mode_fields(parse_method("none sha256", LIMITS)), "2.9"),
        (main_mode_fields(parse_ike_proposal("aes128-sha256-modp2048")), "2.0"),
        (first_fields(FULL, str), "2.8"),
        (first_fields(Certificate("CN=R", Signing.ECDSA_P256), str), "2.0"),
    ],
)
def test_who_does_not_know_a_value_skips_its_suite(fields: Fields, skips: str | None) -> None:
    assert dict(fields).get("SkipVersion") == skips


def test_session_keys() -> None:
    assert pfs_field(False) == ("PFS", "Disable")
    assert pfs_field(True) == ("PFS", "EnableDHFromPhase1")
    assert pfs_field(parse_group("ecp384")) == ("PFS", "ReKeyECDH384")
    with pytest.raises(BadWord, match="group"):
        pfs_field(parse_group("x25519"))


def test_what_windows_does_not_have() -> None:
    with pytest.raises(BadWord, match="keys of kind ed25519"):
        first_fields(Certificate("CN=R", Signing.ED25519), str)
    with pytest.raises(BadWord, match="different hashes"):
        quick_mode_fields(parse_method("esp aes128-sha1 + ah sha256", LIMITS))
    with pytest.raises(BadWord, match="group"):
        main_mode_fields(parse_ike_proposal("aes256-sha384-x25519"))
