# SPDX-License-Identifier: Apache-2.0
"""Lists of revoked certificates: which count, when they are fetched, what follows (RFC 5280 §6.3)."""

import http.server
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lab.authority import DAY, NOW, authority

from ringfence.credentials import revocation
from ringfence.credentials.revocation import RevocationLists, fetch, read_list
from ringfence.databases.certification import Revocation
from ringfence.ike.errors import Reason

URL = "http://ca.lab/lab.crl"
ROOT = authority()
ALICE, BOB = ROOT.issue(crl=URL), ROOT.issue("CN=bob", crl=URL)


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
        return RevocationLists(self, lambda: self.now)


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
    lists = RevocationLists(lambda url: web(URL), lambda: web.now)
    for number in range(5):
        check(lists, ROOT.issue(crl=f"http://ca.lab/{number}.crl"))
    assert len(lists._failed) <= 2


def test_both_forms_are_read():
    der = ROOT.crl()
    pem = x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)
    assert read_list(der) == read_list(pem) != None  # noqa: E711
    assert read_list(b"") is None


@pytest.mark.parametrize("url", ["https://ca.lab/x", "file:///etc/passwd", "ldap://ca.lab/x"])
def test_only_http_is_fetched(url):
    with pytest.raises(ValueError):
        fetch(url)


def test_a_list_is_fetched_over_the_wire(monkeypatch):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 100)

        def log_message(self, *words):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request).start()
        assert fetch(f"http://127.0.0.1:{server.server_port}/x.crl") == b"x" * 100
        monkeypatch.setattr(revocation, "LIST_OCTETS", 99)
        threading.Thread(target=server.handle_request).start()
        with pytest.raises(ValueError, match="too large"):
            fetch(f"http://127.0.0.1:{server.server_port}/x.crl")
