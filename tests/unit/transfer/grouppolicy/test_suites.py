# SPDX-License-Identifier: Apache-2.0
"""Suites of sets, as what they mean."""

import pytest

from ringfence.databases.proposal import Limits
from ringfence.policy.errors import BadWord
from ringfence.policy.terms import (
    Anonymous,
    Certificate,
    Criteria,
    Holder,
    Kerberos,
    NameKind,
    PskFile,
    Signing,
    UserKerberos,
)
from ringfence.transfer.grouppolicy import sets, suites
from ringfence.transfer.grouppolicy.grammar import FIRST, Said, checked
from ringfence.transfer.grouppolicy.sets import SHAPES, SetKind

CA = {"Method": "MachineCert", "CAName": "CN=Root"}


def said(kind: SetKind, values: dict[str, str]) -> Said:
    return checked(FIRST, values.items(), SHAPES[kind].suite)


def first(**values: str) -> object:
    return suites.first_auth(said(SetKind.AUTH1, values), PskFile, lambda why: None)


def second(**values: str) -> object:
    return suites.second_auth(said(SetKind.AUTH2, values), lambda why: None)


def quick(values: dict[str, str]) -> str:
    found = suites.quick_mode_method(said(SetKind.CRYPTO2, values))
    return f"{found} {found.limits.seconds} {found.limits.octets}"


def test_first_authentication() -> None:
    assert first(Method="MachineKerb") == Kerberos()
    assert first(Method="Anonymous") == Anonymous()
    assert first(Method="MachineSHKey", SHKey="k") == PskFile("k")
    assert first(**CA, CertAccountMapping="TRUE", ExcludeCAName="TRUE", HealthCert="TRUE", OtherCertSigning="ECDSA384",
                 IntermediateCA="FALSE") == Certificate(
        "CN=Root", signing=Signing.ECDSA_P384, health=True, mapping=True, exclude_ca_name=True
    )  # fmt: skip


def test_second_authentication() -> None:
    assert second(Method="UserKerb") == UserKerberos()
    assert second(Method="UserCert", CAName="CN=U") == Certificate("CN=U", holder=Holder.USER)
    assert second(Method="MachineCert", CAName="CN=H", HealthCert="TRUE") == Certificate("CN=H", health=True)


def test_criteria_of_certificates() -> None:
    text = (
        "v2.20|CriteriaType=Select|NameType=UPN|Name=a@b|Eku=1.2|Eku=1.3|Hash=AB" + "00" * 19 + "|FollowRenewal=TRUE|"
    )
    assert first(**CA, CertCriteria=text) == Certificate(
        "CN=Root", eku=("1.2", "1.3"), name_kind=NameKind.UPN, name="a@b", hash="ab" + "00" * 19, follow_renewal=True,
        criteria=Criteria.SELECT,
    )  # fmt: skip
    assert first(**CA, CertCriteria="v2.20|CriteriaType=Select|") == Certificate("CN=Root")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "it names no method"),
        ({"Method": "MachineSHKey"}, "it has no key"),
        ({"Method": "MachineSHKey", "SHKey": "k", "CAName": "CN=R"}, "a key and an authority"),
        ({"Method": "MachineCert"}, "it names no authority"),
        ({**CA, "SHKey": "k"}, "a key and an authority"),
        ({**CA, "CertCriteria": "v2.20|Name=x|"}, "not what kind of name"),
        ({**CA, "CertCriteria": "v2.20|Hash=zz|"}, "a hash that is none"),
        ({**CA, "CertCriteria": "nonsense"}, "does not begin"),
    ],
)
def test_a_first_authentication_that_is_none(values: dict[str, str], why: str) -> None:
    with pytest.raises(BadWord, match=why):
        first(**values)


def test_a_computer_proves_itself_a_second_time_by_its_health_only() -> None:
    with pytest.raises(BadWord, match="health certificate only"):
        second(Method="MachineCert", CAName="CN=H")
    with pytest.raises(BadWord, match="names no method"):
        second()


def test_a_proxy_is_said_not_to_be_asked() -> None:
    notes: list[str] = []
    suites.first_auth(said(SetKind.AUTH1, {"Method": "MachineKerb", "AllowProxy": "TRUE"}), PskFile, notes.append)
    assert notes
    assert "not asked" in notes[0]


def test_main_mode() -> None:
    values = {"KeyExchange": "ECDH-256", "Encryption": "AES-192", "Hash": "SHA1"}
    limits = Limits(60)
    assert str(suites.main_mode_method(said(SetKind.CRYPTO1, values), limits)) == "aes192-sha1-ecp256"
    later = {**values, "2_1Hash": "SHA384", "2_16KeyExchange": "DH2048"}
    assert str(suites.main_mode_method(said(SetKind.CRYPTO1, later), limits)) == "aes192-sha384-modp2048"
    for broken, why in (({**values, "2_16KeyExchange": "DH24"}, "DH24 is not served"), ({"Hash": "MD5"}, "not name")):
        with pytest.raises(BadWord, match=why):
            suites.main_mode_method(said(SetKind.CRYPTO1, broken), limits)


@pytest.mark.parametrize(
    ("values", "method"),
    [
        ({"Protocol": "ESP", "Encryption": "AES-128", "EspHash": "SHA1"}, "esp aes128-sha1 3600 102400000"),
        ({"Protocol": "ESP", "2_1EspHash": "AES-GCM128"}, "esp null-aes128-gmac 3600 102400000"),
        ({"Protocol": "ESP", "2_1Encryption": "AES-GCM256"}, "esp aes256-gcm 3600 102400000"),
        ({"Protocol": "AH", "2_1AhHash": "SHA256", "TimeOutMinutes": "5"}, "ah sha256 300 102400000"),
        ({"Protocol": "AH&ESP", "AhHash": "MD5", "EspHash": "MD5", "TimeOutKbytes": "20480"},
         "esp null-md5 + ah md5 3600 20971520"),
        ({"Protocol": "ESP", "EspHash": "SHA1", "TimeOutKbytes": "2147483647"}, "esp null-sha1 3600 None"),
        ({"2_9Protocol": "AUTH_NO_ENCAP", "AhHash": "SHA1"}, "none sha1 3600 102400000"),
    ],
)  # fmt: skip
def test_quick_mode(values: dict[str, str], method: str) -> None:
    assert quick(values) == method


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"EspHash": "SHA1"}, "names no protocol"),
        ({"Protocol": "ESP", "Encryption": "AES-128"}, "no integrity"),
        ({"Protocol": "ESP", "2_1Encryption": "AES-GCM128", "EspHash": "SHA1"}, "goes with the hash of that name"),
        ({"Protocol": "ESP", "Encryption": "AES-128", "2_1EspHash": "AES-GCM128"}, "goes with the encryption"),
        ({"Protocol": "AH"}, "names no hash"),
        ({"Protocol": "AH", "AhHash": "SHA1", "EspHash": "SHA1"}, "AH has no use for"),
        ({"Protocol": "ESP", "AhHash": "SHA1"}, "ESP has no use for"),
        ({"Protocol": "AH&ESP", "AhHash": "SHA1", "EspHash": "MD5"}, "different hashes"),
        ({"2_9Protocol": "AUTH_NO_ENCAP", "EspHash": "SHA1", "Encryption": "DES"}, "no encryption"),
        ({"2_9Protocol": "AUTH_NO_ENCAP"}, "one hash"),
        ({"Protocol": "ESP", "EspHash": "SHA1", "TimeOutMinutes": "4"}, "lives for 4 minutes"),
        ({"Protocol": "ESP", "EspHash": "SHA1", "TimeOutKbytes": "20479"}, "lives for 20479 KB"),
    ],
)
def test_a_quick_mode_that_is_none(values: dict[str, str], why: str) -> None:
    with pytest.raises(BadWord, match=why):
        quick(values)


def test_session_keys_of_their_own() -> None:
    head = SHAPES[SetKind.CRYPTO2].head

    def pfs(**values: str) -> object:
        return suites.pfs_of(checked(FIRST, values.items(), head))

    assert pfs() is False
    assert pfs(PFS="Disable") is False
    assert pfs(PFS="EnableDHFromPhase1") is True
    assert pfs(PFS="ReKeyECDH384") == suites.parse_group("ecp384")
    with pytest.raises(BadWord, match="ReKeyDH24 is not served"):
        suites.pfs_of(checked(FIRST, [("PFS", "Disable"), ("2_16PFS", "ReKeyDH24")], head))


@pytest.mark.parametrize(("skip", "passed"), [("2.0", False), ("2.29", False), ("2.30", True), ("3.0", True)])
def test_a_suite_may_be_for_others(skip: str, passed: bool) -> None:
    assert suites.is_for_others(said(SetKind.AUTH1, {"SkipVersion": skip})) is passed
    assert sets.SKIP_VERSION.name == "SkipVersion"
