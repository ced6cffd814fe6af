# SPDX-License-Identifier: Apache-2.0
"""Each thing that can be wrong with a peer's certificate has its own name (RFC 4945 §5, RFC 5280 §6)."""

from dataclasses import replace

import pytest
from lab.authority import CODE, DAY, IKE, NOW, SERVER, authority

from ringfence.credentials.paths import validate
from ringfence.credentials.revocation import RevocationLists
from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import KeyKind
from ringfence.databases.certification import CertificateAuth, Revocation
from ringfence.ike.effects import Trusted, Unfit
from ringfence.ike.errors import Reason

ROOT, OTHER = authority(), authority("CN=Other CA")
MIDDLE = ROOT.issue("CN=Middle CA,O=Lab", ca=True)
LOW = MIDDLE.issue("CN=Low CA,O=Lab", ca=True)
ALICE = ROOT.issue(names=("alice.lab", "a@lab"))
WAY = CertificateAuth("CN=Lab CA, O=Lab", KeyKind.P256, (ROOT.der,))


def no_fetch(url):
    raise OSError(url)


def judge(*chain, way=WAY, at=NOW, ways=None):
    return validate([one.der for one in chain], ways or (way,), at, RevocationLists(no_fetch))


def reason(*chain, **terms):
    found = judge(*chain, **terms)
    assert isinstance(found, Unfit), found
    assert len(found.detail) > 30
    return found.reason


def test_a_certificate_of_the_authority_is_trusted():
    assert judge(ALICE) == Trusted(WAY)
    assert judge(ALICE, ROOT) == Trusted(WAY)


def test_a_chain_of_three_is_followed_in_any_order():
    leaf = LOW.issue()
    assert judge(leaf, LOW, MIDDLE) == Trusted(WAY)
    assert judge(leaf, MIDDLE, ALICE, LOW) == Trusted(WAY)
    assert reason(leaf, LOW) is Reason.UNTRUSTED


def test_an_intermediate_authority_may_be_the_one_that_is_trusted():
    way = replace(WAY, anchors=(MIDDLE.der,))
    assert judge(MIDDLE.issue(), way=way) == Trusted(way)
    assert reason(ALICE, way=way) is Reason.UNTRUSTED


def test_the_first_way_that_will_do_is_taken():
    other = CertificateAuth("CN=Other CA", KeyKind.P256, (OTHER.der,))
    assert judge(ALICE, ways=(other, WAY)) == Trusted(WAY)
    early = ROOT.issue(starts=NOW + DAY)
    assert reason(early, ways=(other, WAY)) is Reason.CERTIFICATE_EARLY
    assert reason(early, ways=(WAY, other)) is Reason.CERTIFICATE_EARLY


def test_nobody_else_is_trusted():
    found = judge(OTHER.issue())
    assert found.reason is Reason.UNTRUSTED
    assert "CN=Other CA" in found.detail
    assert "CN=Lab CA" in found.detail
    assert reason(authority("CN=Lab CA,O=Lab").issue()) is Reason.UNTRUSTED  # the same name, another key
    assert reason(ALICE, way=replace(WAY, anchors=())) is Reason.UNTRUSTED
    assert judge(ALICE, ways=None, way=replace(WAY, anchors=(OTHER.der,))).reason is Reason.UNTRUSTED
    assert validate([ALICE.der], (), NOW, RevocationLists(no_fetch)).reason is Reason.UNTRUSTED


def test_who_is_no_authority_issues_nothing():
    """RFC 5280 §4.2.1.9."""
    assert reason(ALICE.issue("CN=eve"), ALICE) is Reason.BAD_CERTIFICATE
    short = ROOT.issue("CN=Short CA", ca=True, length=0)
    below = short.issue("CN=Below CA", ca=True)
    assert reason(below.issue("CN=eve"), below, short) is Reason.BAD_CERTIFICATE


def test_time_is_looked_at_all_the_way_up():
    assert reason(ROOT.issue(ends=NOW - DAY / 2)) is Reason.CERTIFICATE_EXPIRED
    found = judge(ROOT.issue(starts=NOW + DAY))
    assert found.reason is Reason.CERTIFICATE_EARLY
    assert "24 hours from now" in found.detail
    old = ROOT.issue("CN=Old CA", ca=True, ends=NOW - DAY / 2)
    assert "CN=Old CA" in judge(old.issue(), old).detail
    assert reason(old.issue(), old) is Reason.CERTIFICATE_EXPIRED
    assert "5 minutes" in judge(ROOT.issue(starts=NOW + DAY / 288)).detail
    assert "90 days" in judge(ROOT.issue(starts=NOW + 90 * DAY)).detail


@pytest.mark.parametrize(("usages", "good"), [((), True), ((IKE,), True), ((SERVER,), True), (("2.5.29.37.0",), True),
                                              ((CODE,), False), ((CODE, IKE), True)])  # fmt: skip
def test_a_certificate_is_for_ike_or_for_anything(usages, good):
    """RFC 4945 §5.1.3.12."""
    leaf = ROOT.issue(usages=usages)
    assert judge(leaf) == Trusted(WAY) if good else reason(leaf) is Reason.WRONG_USAGE


def test_its_key_usage_has_to_allow_signatures():
    """RFC 4945 §5.1.3.2."""
    assert reason(ROOT.issue(key_usage=False)) is Reason.WRONG_USAGE
    assert judge(ROOT.issue(key_usage=None)) == Trusted(WAY)


def test_it_has_the_kind_of_key_that_the_policy_names():
    assert reason(ROOT.issue(kind="ecdsa-p384")) is Reason.WRONG_USAGE
    way = replace(WAY, signing=KeyKind.P384)
    assert judge(ROOT.issue(kind="ecdsa-p384"), way=way) == Trusted(way)


def test_a_weak_key_is_not_taken():
    found = judge(ROOT.issue(kind="rsa1024"), way=replace(WAY, signing=KeyKind.RSA))
    assert found.reason is Reason.BAD_CERTIFICATE
    assert "weak" in found.detail


def test_what_cannot_be_read_is_said_to_be_so():
    assert validate([b"\x30\0"], (WAY,), NOW, RevocationLists(no_fetch)).reason is Reason.BAD_CERTIFICATE
    assert validate([ALICE.der, b"x"], (WAY,), NOW, RevocationLists(no_fetch)).reason is Reason.BAD_CERTIFICATE
    assert validate([], (WAY,), NOW, RevocationLists(no_fetch)).reason is Reason.BAD_CERTIFICATE


def test_it_is_the_one_that_the_policy_describes():
    thumbprint = Certificate.read(ALICE.der).thumbprint(20)
    fits = [
        {"usages": ()}, {"thumbprint": thumbprint}, {"name_kind": "dns", "name": "ALICE.lab"},
        {"name_kind": "email", "name": "a@lab"}, {"name_kind": "cn", "name": "Alice"},
        {"name_kind": "o", "name": "Lab"},
    ]  # fmt: skip
    for terms in fits:
        assert isinstance(judge(ALICE, way=replace(WAY, **terms)), Trusted), terms
    misfits = [
        {"usages": (IKE,)}, {"thumbprint": "0" * 40}, {"thumbprint": "0" * 64}, {"name_kind": "dns", "name": "bob.lab"},
        {"name_kind": "upn", "name": "a@lab"}, {"name_kind": "ou", "name": "Lab"},
    ]  # fmt: skip
    for terms in misfits:
        assert reason(ALICE, way=replace(WAY, **terms)) is Reason.WRONG_USAGE, terms
    special = ROOT.issue(usages=(IKE, "1.2.3"))
    assert isinstance(judge(special, way=replace(WAY, usages=("1.2.3",))), Trusted)
    assert reason(special, way=replace(WAY, usages=("1.2.4",))) is Reason.WRONG_USAGE


def test_a_revoked_one_is_refused_where_lists_are_asked():
    listed = replace(WAY, lists=(ROOT.crl(ALICE),))
    assert isinstance(judge(ALICE, way=listed), Trusted)
    assert reason(ALICE, way=replace(listed, revocation=Revocation.REVOKED)) is Reason.REVOKED
    assert reason(ALICE, way=replace(WAY, revocation=Revocation.STRICT)) is Reason.NO_REVOCATION_LIST
