# SPDX-License-Identifier: Apache-2.0
"""Every way to authenticate, and each combination that cannot be."""

import pytest

from ringfence.policy.auth import decode_auth, decode_second
from ringfence.policy.decode import Table
from ringfence.policy.source import Source
from ringfence.policy.terms import (
    Anonymous,
    AuthorityKind,
    Certificate,
    Criteria,
    Holder,
    Kerberos,
    NameKind,
    Ntlm,
    PskFile,
    Signing,
    UserKerberos,
    UserNtlm,
)

CA = "CN=Corp Root CA"


def table(text: str) -> Table:
    source = Source.read(text, name="p")
    return Table(source, (), source.data, [])


def test_every_first_authentication() -> None:
    found = table(f'auth = ["kerberos", "anonymous", {{ certificate = "{CA}" }}, {{ psk-file = "k" }}]')
    assert decode_auth(found) == (Kerberos(), Anonymous(), Certificate(CA), PskFile("k"))
    assert found.findings == []
    words = ["kerberos", "anonymous", "certificate CN=Corp Root CA", "preshared key k"]
    assert list(map(str, decode_auth(found))) == words
    assert decode_auth(table('auth = ["kerberos", "ntlm"]')) == (Kerberos(), Ntlm())
    assert decode_auth(table("")) == decode_second(table("")) == ()


def test_all_that_a_certificate_may_say() -> None:
    found = table(
        f'auth = {{ certificate = "{CA}", signing = "ecdsa-p384", kind = "intermediate", health = true, '
        'mapping = true, exclude-ca-name = true, eku = ["1.3.6.1.5.5.7.3.1"], name = "dns:db1.corp", hash = "AB:'
        + "00 " * 19
        + '", follow-renewal = true, criteria = "validate" }'
    )
    assert decode_auth(found) == (
        Certificate(
            CA, Signing.ECDSA_P384, AuthorityKind.INTERMEDIATE, Holder.COMPUTER, True, True, True,
            ("1.3.6.1.5.5.7.3.1",), NameKind.DNS, "db1.corp", "ab" + "00" * 19, True, Criteria.VALIDATE,
        ),
    )  # fmt: skip
    assert found.findings == []


def test_every_second_authentication() -> None:
    found = table(f'second-auth = ["user-kerberos", "user-ntlm", {{ user-certificate = "{CA}" }}, "anonymous"]')
    user = Certificate(CA, holder=Holder.USER)
    assert decode_second(found) == (UserKerberos(), UserNtlm(), user, Anonymous())
    health = table(f'second-auth = [{{ health-certificate = "{CA}" }}, "anonymous"]')
    assert decode_second(health) == (Certificate(CA, health=True), Anonymous())
    assert found.findings == health.findings == []
    assert list(map(str, decode_second(health))) == ["health certificate CN=Corp Root CA", "anonymous"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("auth = []", "auth is an empty list"),
        ('auth = "letmein"', "auth names no way to authenticate"),
        ("auth = 7", "auth names no way to authenticate"),
        ('auth = "user-kerberos"', 'auth names "user-kerberos", which is a way for the second authentication'),
        ('auth = { psk-file = "a", certificate = "CN=x" }', "auth says both psk-file and certificate"),
        ('auth = { psk-file = "a", signing = "rsa" }', 'there is no setting "auth.signing"'),
        ("auth = {}", "auth does not say psk-file"),
        ('auth = [{ psk-file = "a" }, { psk-file = "b" }]', "auth names a preshared key more than once"),
        ('auth = ["kerberos", "kerberos"]', 'auth names "kerberos" more than once'),
        ('auth = ["ntlm", { psk-file = "a" }]', "auth names both a preshared key and NTLM"),
        (
            'auth = [{ certificate = "CN=a" }, "kerberos", { certificate = "CN=b" }]',
            "auth names certificates by rsa that do not follow each other",
        ),
        (
            'auth = [{ certificate = "CN=a" }, { certificate = "CN=b", health = true }]',
            "auth names certificates by rsa of which only some are of health",
        ),
        ('auth = { certificate = "CN=a", signing = "dsa" }', 'auth.signing is "dsa"'),
        ('auth = { certificate = "CN=a", eku = "server" }', 'auth.eku is "server", which is no key usage'),
        ('auth = { certificate = "CN=a", name = "db1" }', 'auth.name is "db1", which is no name in a certificate'),
        ('auth = { certificate = "CN=a", hash = "12" }', 'auth.hash is "12", which is no thumbprint'),
        ('auth = { certificate = "CN=a", follow-renewal = true }', "auth.follow-renewal has no use without hash"),
        ('auth = { certificate = "CN=a", criteria = "select" }', "auth.criteria has no use without eku, name or hash"),
    ],
)
def test_mistakes_in_the_first(text: str, sentence: str) -> None:
    found = table(text)
    decode_auth(found)
    assert sentence in " ".join(map(str, found.findings))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('second-auth = "kerberos"', 'names "kerberos", which is a way for the first authentication'),
        ('second-auth = { psk-file = "a" }', 'there is no setting "second-auth.psk-file"'),
        ('second-auth = "anonymous"', "is optional and names nothing else"),
        ('second-auth = ["user-kerberos", "user-kerberos"]', "names the same way more than once"),
        (
            'second-auth = ["user-kerberos", { health-certificate = "CN=a" }]',
            "names a health certificate beside ways for a user",
        ),
        (
            'second-auth = [{ user-certificate = "CN=a" }, { health-certificate = "CN=a" }]',
            "names a health certificate beside ways for a user",
        ),
        ('second-auth = { user-certificate = "CN=a", health-certificate = "CN=a" }', "says both"),
        ("second-auth = {}", "does not say user-certificate"),
        ('second-auth = { user-certificate = "CN=a", exclude-ca-name = true }', "there is no setting"),
    ],
)
def test_mistakes_in_the_second(text: str, sentence: str) -> None:
    found = table(text)
    decode_second(found)
    assert sentence in " ".join(map(str, found.findings))
