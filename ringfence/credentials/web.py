# SPDX-License-Identifier: Apache-2.0
"""What HTTP addresses give that certificates name (RFC 5280 §4.2.1.13, RFC 6960 A.1): little, soon, and no other.

Nothing here proves anything; what comes is believed for its signatures. A certificate's owner chooses the address, so
nobody is followed to another one, and an address that keeps on giving a little at a time is given up.
"""

import time

import httpx

PATIENCE_S = 5.0
"""For one answer."""
REST_S = 60.0
"""After one that failed."""
KEPT = 64
"""Answers of each kind."""


def fetch(url: str, body: bytes = b"", content: str = "", most: int = 16 << 20) -> bytes:
    """At most so many octets that ``url`` gives, asked with a ``body`` of that ``content`` if there is one.

    Raises OSError or ValueError.
    """
    if not url.startswith("http://"):
        raise ValueError("lists of revoked certificates come by HTTP")
    ends, found = time.monotonic() + PATIENCE_S, b""
    method, headers = ("POST", {"Content-Type": content}) if body else ("GET", {})
    try:
        with (
            httpx.Client(trust_env=False, timeout=PATIENCE_S) as web,
            web.stream(method, url, content=body or None, headers=headers) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise OSError(f"the answer is {answer.status_code}")
            for piece in answer.iter_bytes():
                found += piece
                if len(found) > most:
                    raise ValueError("the answer is too large")
                if time.monotonic() > ends:
                    raise TimeoutError("the answer does not come to its end")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(str(error)) from error
    return found
