# SPDX-License-Identifier: Apache-2.0
"""What HTTP addresses give: little, soon, and no other."""

import contextlib
import http.server
import threading
import time

import pytest

from ringfence.credentials import web as web_module
from ringfence.credentials.web import fetch


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

    def do_POST(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.headers['Content-Type']} ".encode())
        self.wfile.write(self.rfile.read(int(self.headers["Content-Length"])))

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


def test_a_list_is_fetched_over_the_wire(web):
    assert fetch(f"{web}/x.crl") == b"x" * 100
    with pytest.raises(ValueError, match="too large"):
        fetch(f"{web}/x.crl", most=99)


def test_a_question_is_asked_over_the_wire(web):
    assert fetch(f"{web}/ask", b"a question", "application/ocsp-request") == b"application/ocsp-request a question"


@pytest.mark.parametrize(("page", "why"), [("moved", "302"), ("none", "404"), ("slow", "to its end")])
def test_what_gives_no_list(web, monkeypatch, page, why):
    monkeypatch.setattr(web_module, "PATIENCE_S", 0.3)
    with pytest.raises(OSError, match=why):
        fetch(f"{web}/{page}")


def test_nobody_there():
    with pytest.raises(OSError):
        fetch("http://127.0.0.1:1/x.crl")
    with pytest.raises((OSError, ValueError)):
        fetch("http://[/x.crl")
