# SPDX-License-Identifier: Apache-2.0
"""Certificates as they are read, names as they are compared (RFC 5280)."""

import pytest
from lab.authority import IKE, NOW, authority

from ringfence.crypto.certificate import (
    Certificate,
    dn_text,
    parse_dn,
    read_bundle,
    read_certificates,
    same_dn,
    unpack,
)
from ringfence.crypto.errors import BadCertificate, BadKey
from ringfence.crypto.signature import KeyKind

ROOT = authority()
ALICE = ROOT.issue(names=("alice.lab", "10.0.0.1", "fd00::1", "a@lab"), usages=(IKE,), crl="http://ca.lab/x.crl")


def test_a_certificate_says_what_it_says():
    read = Certificate.read(ALICE.der)
    assert read.subject_text == "CN=alice,O=Lab"
    assert read.issuer_text == "CN=Lab CA,O=Lab"
    assert (read.dns, read.emails) == (("alice.lab",), ("a@lab",))
    assert [len(one) for one in read.addresses] == [4, 16]
    assert read.usages == (IKE,)
    assert read.key_usage == {"digital_signature"}
    assert read.crl_urls == ("http://ca.lab/x.crl",)
    assert not read.authority
    assert read.starts < NOW < read.ends
    assert read.key.kind is KeyKind.P256
    assert read.hash_name == "sha256"
    assert (len(read.thumbprint()), len(read.thumbprint(20))) == (64, 40)
    assert read.attribute("CN") == ("alice",)
    assert read.names == ("alice.lab", "a@lab")


def test_what_is_not_said_is_none_rather_than_empty():
    read = Certificate.read(ROOT.issue(key_usage=None).der)
    assert (read.usages, read.key_usage, read.dns, read.crl_urls) == (None, None, (), ())
    assert Certificate.read(ROOT.der).authority


def test_a_certificate_without_subject_has_an_empty_name():
    read = Certificate.read(ROOT.issue("", names=("bob.lab",)).der)
    assert read.subject_text == ""
    assert read.dns == ("bob.lab",)


@pytest.mark.parametrize("octets", [b"", b"\x30\x03\x02\x01\x01", ALICE.der[:-1]])
def test_what_is_no_certificate_says_so(octets):
    with pytest.raises(BadCertificate):
        Certificate.read(octets)


def test_names_compare_without_case_spaces_and_string_type():
    der = Certificate.read(ALICE.der).subject
    assert same_dn(parse_dn("cn = ALICE, o=lab"), der)
    assert not same_dn(parse_dn("O=Lab, CN=alice"), der)
    assert same_dn(parse_dn("O=Lab, CN=alice"), der, either_way=True)
    assert not same_dn(parse_dn("CN=alice"), der)
    assert not same_dn(b"", b"\x30\0")
    assert same_dn(b"\x30\0", b"\x30\0")


@pytest.mark.parametrize("text", ["CN=a\\,b,O=L", 'CN="a,b",O=L'])
def test_commas_in_values_are_kept(text):
    assert dn_text(parse_dn(text)) == "CN=a\\,b,O=L"
    assert parse_dn(dn_text(parse_dn(text))) == parse_dn(text)


def test_other_attributes_are_numbers():
    assert dn_text(parse_dn("2.5.4.4=Smith, DC=corp")) == "2.5.4.4=Smith,DC=corp"


@pytest.mark.parametrize(
    "text", ["", "alice", "CN=", "XX=1", "CN=a,,O=b", "CN=a+", "CN=a\\", 'CN="a', "CN=#0c", "CN=#zz", "CN=\\ff"]
)
def test_what_is_no_name_is_refused(text):
    with pytest.raises(ValueError):
        parse_dn(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("CN=Before\\0dAfter,DC=example,DC=net", "CN=Before\rAfter,DC=example,DC=net"),
        ("1.3.6.1.4.1.1466.0=#04024869", None),
        ("CN=Lu\\C4\\8Di\\C4\\87", "CN=Lučić"),
        ("OU=Sales+CN=J.  Smith,DC=example,DC=net", "CN=J. Smith+OU=Sales,DC=example,DC=net"),
        ('CN=James \\"Jim\\" Smith\\, III,DC=net', 'CN="James \\"Jim\\" Smith, III", DC=net'),
        ("CN=#0c0548656c6c6f", "CN=Hello"),
        ("CN=\\ x\\ ,O=a\\+b", 'CN=" x ", O="a+b"'),
        ("CN=a\\#b", 'CN="a#b"'),
    ],
)
def test_names_as_rfc_4514_writes_them(text, plain):
    """The examples of RFC 4514 §4, and more."""
    if plain is None:
        with pytest.raises(ValueError):
            parse_dn(text)
    else:
        assert same_dn(parse_dn(text), parse_dn(plain))


def test_levels_of_the_tree_are_not_mixed():
    assert not same_dn(parse_dn("CN=a+O=b"), parse_dn("CN=a,O=b"))
    assert same_dn(parse_dn("O=b+CN=a"), parse_dn("cn=A+o=B"))


def test_octets_that_are_no_name_are_shown_in_hex():
    assert dn_text(b"abc") == "616263"
    assert dn_text(b"\x30\0") == ""


def test_files_hold_pem_der_and_pkcs7():
    both = read_certificates(ALICE.pem + ROOT.pem)
    assert [one.der for one in both] == [ALICE.der, ROOT.der]
    assert read_certificates(ALICE.der)[0].der == ALICE.der
    assert {one.der for one in unpack(ALICE.bag(ROOT))} == {ALICE.der, ROOT.der}
    assert {one.der for one in read_certificates(ALICE.bag(ROOT))} == {ALICE.der, ROOT.der}
    with pytest.raises(BadCertificate):
        read_certificates(b"no certificate")


def test_a_bundle_has_certificate_chain_and_key():
    chain, key = read_bundle(ALICE.p12(b"lab"), b"lab")
    assert [one.der for one in chain] == [ALICE.der, ROOT.der]
    assert key.public_info == chain[0].public_info
    with pytest.raises(BadKey, match="password is wrong"):
        read_bundle(ALICE.p12(b"lab"), b"bad")
    with pytest.raises(BadKey, match="needs a password"):
        read_bundle(ALICE.p12(b"lab"), None)
