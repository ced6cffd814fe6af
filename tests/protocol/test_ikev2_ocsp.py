# SPDX-License-Identifier: Apache-2.0
"""Two engines bring each other what their authorities say of their certificates now (RFC 4806)."""

import pytest
from lab.authority import DAY, NOW

from protocol.pairs import assert_one_pair
from protocol.test_certificates import ALICE, OTHER, ROOT, own, reasons, way
from protocol.test_ikev2_certificates import meet2, nobody
from ringfence.audit import MessageExchanged
from ringfence.credentials.keeper import LocalKeeper
from ringfence.credentials.ocsp import Responders
from ringfence.credentials.revocation import RevocationLists
from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import PrivateKey
from ringfence.databases.certification import Revocation
from ringfence.ike.effects import Staple, Stapled
from ringfence.ike.errors import Reason


def stapling(said, *, asks=Revocation.STRICT, begins="a"):
    """Alice looks certificates up and reaches nobody; bob's authority says to him what ``said`` gives."""
    bob = ROOT.issue("CN=bob", ocsp="http://ca.lab/ocsp")
    both = meet2((way(own(ALICE), revocation=asks),), (way(own(bob)),), bob=bob, begin=False)
    for host, post in ((both.a, _nobody), (both.b, lambda _url, _request: said(bob))):
        key = PrivateKey((ALICE if host is both.a else bob).key)
        host.keeper = LocalKeeper(lambda: NOW, RevocationLists(_nobody, responders=Responders(post)))
        host.keeper.hold({Certificate.read((ALICE if host is both.a else bob).der).thumbprint(): key})
    both.wish(both.a if begins == "a" else both.b)
    both.run(30)
    return both


def _nobody(url, request=b""):
    raise OSError(url)


@pytest.mark.parametrize("begins", ["a", "b"])
def test_who_is_asked_for_it_brings_its_authoritys_word(begins):
    """RFC 4806: so whoever looks it up need not reach the authority."""
    both = stapling(ROOT.says, begins=begins)
    assert_one_pair(both)
    said = [one.payloads for one in both.b.of(MessageExchanged) if one.sent and "AUTH" in one.payloads]
    assert said[0].count("CERT ") >= 2
    asked = [one.payloads for one in both.a.of(MessageExchanged) if one.sent]
    assert any(text.count("CERTREQ") == 2 for text in asked)


@pytest.mark.parametrize("said", [
    lambda bob: ROOT.says(bob, revoked=True), lambda bob: ROOT.says(bob, at=NOW - 30 * DAY),
    lambda bob: ROOT.says(ALICE), lambda bob: ROOT.says(bob, by=bob), lambda bob: OTHER.says(bob), lambda bob: b"x",
], ids=["revoked", "old", "somebody else", "himself", "another authority", "nonsense"])  # fmt: skip
def test_any_other_word_is_none(said):
    both = stapling(said)
    assert set(reasons(both.a)) == {Reason.NO_REVOCATION_LIST.value}
    nobody(both)


def test_who_looks_nothing_up_asks_for_nothing():
    both = stapling(ROOT.says, asks=Revocation.NONE)
    assert_one_pair(both)
    assert all(one.payloads.count("CERTREQ") <= 1 for one in both.a.of(MessageExchanged) if one.sent)


def test_a_peer_that_brings_what_its_authority_said_of_another_is_refused_by_name():
    """Eve, whose certificate was revoked, brings what was said of bob, and of hers before."""
    eve = ROOT.issue("CN=eve", names=("eve.lab",))
    lists = (ROOT.crl(eve),)
    both = meet2((way(own(ALICE), revocation=Revocation.REVOKED, lists=lists),), (way(own(eve)),), bob=eve, begin=False)
    answer = both.b.keeper.answer
    both.b.keeper.answer = lambda question: (
        Stapled(ROOT.says(eve)) if isinstance(question, Staple) else answer(question)
    )
    both.wish(both.a)
    both.run(30)
    assert set(reasons(both.a)) == {Reason.REVOKED.value}
    nobody(both)
