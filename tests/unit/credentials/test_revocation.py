# SPDX-License-Identifier: Apache-2.0
"""Lists of revoked certificates: which count, when they are fetched, what follows (RFC 5280 §6.3)."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lab.authority import DAY, NOW, authority

from ringfence.credentials import revocation
from ringfence.credentials.ocsp import Responders
from ringfence.credentials.revocation import RevocationLists, read_list
from ringfence.databases.certification import Revocation
from ringfence.ike.errors import Reason

URL = "http://ca.lab/lab.crl"
ROOT = authority()
ALICE, BOB = ROOT.issue(crl=URL), ROOT.issue("CN=bob", crl=URL)
CAROL = ROOT.issue("CN=carol", crl=URL, ocsp="http://ca.lab/ocsp")


class Web:
    """What is at an address, and how often it was asked."""

    def __init__(self, content: bytes | None) -> None:
        self.content = content
        self.asked = 0
        self.now = 0.0

    def __call__(self, url: str) -> bytes:
        assert url == URL
        self.asked += 1
        if self.content is None:
            raise OSError("nobody there")
        return self.content

    def lists(self) -> RevocationLists:
        return RevocationLists(self, lambda: self.now, Responders(_nobody))


def _nobody(url, request):
    raise OSError(url)


def check(lists, leaf, how=Revocation.STRICT, files=(), at=NOW):
    found = lists.check([leaf.certificate, ROOT.certificate], how, files, at)
    return None if found is None else found.reason


def test_without_a_policy_nothing_is_asked():
    web = Web(ROOT.crl(ALICE))
    assert check(web.lists(), ALICE, Revocation.NONE) is None
    assert web.asked == 0


def test_a_fetched_list_decides_and_is_kept_until_it_is_out_of_date():
    web = Web(ROOT.crl(ALICE))
    lists = web.lists()
    assert check(lists, ALICE) is Reason.REVOKED
    assert check(lists, BOB) is None
    assert web.asked == 1
    assert check(lists, BOB, at=NOW + 8 * DAY) is Reason.NO_REVOCATION_LIST
    assert web.asked == 2


def test_an_address_that_fails_is_left_alone_for_a_while():
    web = Web(None)
    lists = web.lists()
    assert check(lists, ALICE) is Reason.NO_REVOCATION_LIST
    assert check(lists, ALICE, Revocation.REVOKED) is None
    assert web.asked == 1
    web.now, web.content = 61.0, ROOT.crl()
    assert check(lists, ALICE) is None
    assert web.asked == 2


def test_a_list_in_a_file_needs_no_fetch():
    web = Web(None)
    assert check(web.lists(), ALICE, files=(ROOT.crl(ALICE),)) is Reason.REVOKED
    assert check(web.lists(), BOB, files=(ROOT.crl(ALICE),)) is None
    assert web.asked == 0


def test_a_list_that_somebody_else_signed_or_that_is_old_does_not_count():
    forged = authority("CN=Lab CA,O=Lab").crl()
    for files in ((forged,), (authority("CN=Other CA").crl(),), (ROOT.crl(at=NOW - 30 * DAY),), (b"no list",)):
        assert check(Web(None).lists(), ALICE, files=files) is Reason.NO_REVOCATION_LIST


def test_nonsense_at_the_address_is_no_list():
    assert check(Web(b"<html>").lists(), ALICE) is Reason.NO_REVOCATION_LIST
    assert check(Web(None).lists(), ROOT.issue()) is Reason.NO_REVOCATION_LIST


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(revocation, "KEPT", 2)
    web = Web(None)
    lists = RevocationLists(lambda url: web(URL), lambda: web.now, Responders(_nobody))
    for number in range(5):
        check(lists, ROOT.issue(crl=f"http://ca.lab/{number}.crl"))
    assert len(lists._failed) <= 2


def test_both_forms_are_read():
    der = ROOT.crl()
    pem = x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)
    found = read_list(der)
    assert found is not None
    assert found == read_list(pem)
    assert read_list(b"") is None


def test_the_word_of_an_authority_about_one_certificate_counts_like_its_list():
    """At hand: what the peer brings. A list in a file that says otherwise is believed for the worse of both."""
    good, bad = ROOT.says(ALICE), ROOT.says(ALICE, revoked=True)
    lists = Web(None).lists()
    path = [ALICE.certificate, ROOT.certificate]

    def check_with(how=Revocation.STRICT, files=(), stapled=()):
        found = lists.check(path, how, files, NOW, stapled)
        return None if found is None else found.reason

    assert check_with() is Reason.NO_REVOCATION_LIST
    assert check_with(stapled=(good,)) is None
    assert check_with(stapled=(b"nonsense", bad)) is Reason.REVOKED
    assert check_with(Revocation.REVOKED, stapled=(bad,)) is Reason.REVOKED
    assert check_with(Revocation.NONE, stapled=(bad,)) is None
    assert check_with(files=(ROOT.crl(ALICE),), stapled=(good,)) is Reason.REVOKED
    assert check_with(files=(ROOT.crl(),), stapled=(bad,)) is Reason.REVOKED


def test_the_authority_is_asked_before_its_list_is_fetched():
    asked = []

    def post(url, request):
        asked.append(url)
        return ROOT.says(CAROL, revoked=True)

    web = Web(ROOT.crl())
    lists = RevocationLists(web, lambda: web.now, Responders(post))
    assert check(lists, CAROL) is Reason.REVOKED
    assert (asked, web.asked) == (["http://ca.lab/ocsp"], 0)


def test_nothing_is_asked_for_ever():
    """Each answer may take a while; all together may not."""
    web = Web(ROOT.crl(CAROL))

    def post(url, request):
        web.now += revocation.ALL_S
        raise OSError(url)

    lists = RevocationLists(web, lambda: web.now, Responders(post, lambda: web.now))
    assert check(lists, CAROL) is Reason.NO_REVOCATION_LIST
    assert web.asked == 0
