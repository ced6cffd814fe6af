# SPDX-License-Identifier: Apache-2.0
"""Certificates and authorities in the document, and what a rule makes of what their files hold."""

from dataclasses import replace

import pytest
from lab.authority import IKE, authority

from ringfence.crypto.certificate import Certificate as Read
from ringfence.crypto.signature import KeyKind
from ringfence.databases.certification import OwnCertificate, Revocation
from ringfence.policy.certificates import Wallet, credential_files, same_authority, served, together
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.terms import Certificate, Criteria, CrlCheck, Holder, Kerberos, NameKind, PskFile, Signing
from ringfence.policy.write import canonical

DOCUMENT = """
[authority."CN=Lab CA, O=Lab"]
file = "ca.pem"
crl = ["lab.crl"]

[certificate."this computer"]
file = "host.pem"
key-file = "host.key"
chain = ["middle.pem"]
password-file = "host.pw"
"""
ROOT = authority()
ALICE = ROOT.issue(names=("alice.lab",), usages=(IKE,))
OWN = OwnCertificate("alice", (ALICE.der,))
RSA = OwnCertificate("rsa", (ROOT.issue(kind="rsa").der,))
STRANGE = OwnCertificate("strange", (authority("CN=Other CA").issue().der,))
WALLET = Wallet({"CN=Lab CA, O=Lab": (ROOT.der,)}, {"CN=Lab CA, O=Lab": (b"list",)}, (STRANGE, RSA, OWN))
WANTED = Certificate("O=Lab, CN=Lab CA", Signing.ECDSA_P256)


def test_a_document_says_where_the_files_are_and_is_written_again():
    policy = parse(DOCUMENT, name="p.toml")
    assert credential_files(policy) == ("ca.pem", "lab.crl", "host.pem", "host.key", "middle.pem", "host.pw")
    assert parse(canonical(policy), name="p.toml") == policy


@pytest.mark.parametrize(("text", "says"), [
    ('[authority."CN=x"]', "file is missing"), ('[certificate."x"]\nkey-file = "a"', "file is missing"),
    ('[authority."Lab CA"]\nfile = "a"', "such as CN=Corp Root CA"), ('[certificate."x"]\nfile = "a"\npin = 1', "pin"),
])  # fmt: skip
def test_a_wrong_table_is_told(text, says):
    with pytest.raises(PolicyError, match=says):
        parse(text, name="p.toml")


def test_authorities_are_named_in_either_direction():
    assert same_authority("CN=Lab CA, O=Lab", "o=lab,cn=lab ca")
    assert not same_authority("CN=Lab CA, O=Lab", "CN=Lab CA")
    assert same_authority("no name", "no name")


def test_what_can_be_served():
    known = ("CN=Lab CA, O=Lab",)
    assert served(WANTED, known)
    assert served(PskFile("a"), ())
    assert not served(Kerberos(), known)
    assert not served(WANTED, ("CN=Other CA",))
    for one in (replace(WANTED, holder=Holder.USER), replace(WANTED, health=True), replace(WANTED, mapping=True)):
        assert not served(one, known)


def test_a_way_has_the_authority_and_ours_of_it():
    way = WALLET.way(WANTED, CrlCheck.STRICT)
    assert way.anchors == (ROOT.der,)
    assert way.lists == (b"list",)
    assert way.own == (OWN,)
    assert way.signing is KeyKind.P256
    assert way.revocation is Revocation.STRICT
    assert WALLET.way(replace(WANTED, signing=Signing.RSA), CrlCheck.NONE).own == (RSA,)
    assert WALLET.way(Certificate("CN=Nobody"), CrlCheck.NONE).anchors == ()


def test_criteria_select_ours_or_judge_theirs():
    named = replace(WANTED, name_kind=NameKind.DNS, name="alice.lab", eku=(IKE,))
    other = replace(named, name="bob.lab")
    assert WALLET.way(named, CrlCheck.NONE).own == (OWN,)
    assert WALLET.way(other, CrlCheck.NONE).own == ()
    assert WALLET.way(replace(other, criteria=Criteria.VALIDATE), CrlCheck.NONE).own == (OWN,)
    assert WALLET.way(replace(other, criteria=Criteria.VALIDATE), CrlCheck.NONE).name == "bob.lab"
    assert WALLET.way(replace(named, criteria=Criteria.SELECT), CrlCheck.NONE).name == ""
    mine = Read.read(ALICE.der).thumbprint(20)
    assert WALLET.way(replace(WANTED, hash=mine), CrlCheck.NONE).own == (OWN,)
    assert WALLET.way(replace(WANTED, hash="0" * 40), CrlCheck.NONE).own == ()
    assert WALLET.way(replace(WANTED, hash="0" * 40, follow_renewal=True), CrlCheck.NONE).own == (OWN,)


def test_of_several_stores_the_first_has_its_way():
    low = Wallet({"CN=Lab CA, O=Lab": (b"other",), "CN=b": (b"b",)}, {}, (replace(OWN, chain=(b"x",)),))
    both = together([WALLET, low])
    assert both.authorities["CN=Lab CA, O=Lab"] == (ROOT.der,)
    assert both.authorities["CN=b"] == (b"b",)
    assert next(one for one in both.own if one.name == "alice") == OWN
