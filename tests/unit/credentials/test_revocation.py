# SPDX-License-Identifier: Apache-2.0
"""Lists of revoked certificates: which count, when they are fetched, what follows (RFC 5280 §6.3)."""

import contextlib
import http.server
import threading
import time

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
    found = read_list(der)
    assert found is not None
    assert found == read_list(pem)
    assert read_list(b"") is None


@pytest.mark.parametrize("url", ["https://ca.lab/x", "file:///etc/passwd", "ldap://ca.lab/x"])
def test_only_http_is_fetched(url):
    with pytest.raises(ValueError):
        fetch(url)


class Handler(http.server.BaseHTTPRequestHandler):
    """Gives a list, refers to one, drips, or has none."""

    def do_GET(self):
        self.send_response({"/moved": 302, "/none": 404}.get(self.path, 200))
        self.send_header("Location", "/x.crl")
        self.end_headers()
        for _ in range(200 if self.path == "/slow" else 1):
            self.wfile.write(b"x" * 100)
            time.sleep(0.05 if self.path == "/slow" else 0)

    def handle(self):
        with contextlib.suppress(ConnectionError):  # nobody waits for the end of what drips
            super().handle()

    def log_message(self, *words):
        pass


@pytest.fixture
def web():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_list_is_fetched_over_the_wire(web, monkeypatch):
    assert fetch(f"{web}/x.crl") == b"x" * 100
    monkeypatch.setattr(revocation, "LIST_OCTETS", 99)
    with pytest.raises(ValueError, match="too large"):
        fetch(f"{web}/x.crl")


@pytest.mark.parametrize(("page", "why"), [("moved", "302"), ("none", "404"), ("slow", "to its end")])
def test_what_gives_no_list(web, monkeypatch, page, why):
    monkeypatch.setattr(revocation, "PATIENCE_S", 0.3)
    with pytest.raises(OSError, match=why):
        fetch(f"{web}/{page}")


def test_nobody_there():
    with pytest.raises(OSError):
        fetch("http://127.0.0.1:1/x.crl")
    with pytest.raises((OSError, ValueError)):
        fetch("http://[/x.crl")
