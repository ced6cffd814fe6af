# SPDX-License-Identifier: Apache-2.0
"""Lists of revoked certificates (RFC 5280 §5): from files, and fetched by HTTP from where a certificate says they are.

A list counts if the issuer of the certificate signed it and it is not out of date. Fetched ones are kept until then;
an address that does not answer is not asked again for a minute, so that a peer's certificate cannot make us ask much.
"""

import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

import httpx
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from ringfence.databases.certification import Revocation
from ringfence.ike.effects import Unfit
from ringfence.ike.errors import Reason

LIST_OCTETS = 16 << 20
PATIENCE_S = 5.0
"""For one fetch."""
REST_S = 60.0
"""After one that failed."""
KEPT = 64
"""Fetched lists."""

Fetch = Callable[[str], bytes]


def fetch(url: str) -> bytes:
    """What an HTTP address gives, and no other that it refers to; raises OSError or ValueError.

    An address that keeps on giving a little at a time is given up as one that gives nothing.
    """
    if not url.startswith("http://"):
        raise ValueError("lists of revoked certificates come by HTTP")
    ends, found = time.monotonic() + PATIENCE_S, b""
    try:
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as web, web.stream("GET", url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise OSError(f"the answer is {answer.status_code}")
            for piece in answer.iter_bytes():
                found += piece
                if len(found) > LIST_OCTETS:
                    raise ValueError("the list is too large")
                if time.monotonic() > ends:
                    raise TimeoutError("the list does not come to its end")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(str(error)) from error
    return found


class RevocationLists:
    """Those that are known."""

    def __init__(self, fetch: Fetch = fetch, now: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._fetched: dict[str, x509.CertificateRevocationList] = {}
        self._failed: dict[str, float] = {}

    def check(
        self, path: Sequence[x509.Certificate], how: Revocation, files: Iterable[bytes], at: datetime
    ) -> Unfit | None:
        """What is wrong with a ``path``, whose last is trusted whatever lists say; None for nothing."""
        if how is Revocation.NONE:
            return None
        given = [one for one in map(read_list, files) if one is not None]
        for one, issuer in pairwise(path):
            subject = one.subject.rfc4514_string()
            found = next(self._lists(one, issuer, given, at), None)
            if found is None:
                if how is Revocation.STRICT:
                    what = f'no list says whether the certificate "{subject}" is revoked'
                    return Unfit(Reason.NO_REVOCATION_LIST, f"{what}, and the policy is strict about that")
                continue
            entry = found.get_revoked_certificate_by_serial_number(one.serial_number)
            if entry is not None:
                when = f"{entry.revocation_date_utc:%Y-%m-%d}"
                return Unfit(Reason.REVOKED, f'the certificate "{subject}" was revoked on {when} by its authority')
        return None

    def _lists(
        self, one: x509.Certificate, issuer: x509.Certificate, given: Iterable[x509.CertificateRevocationList],
        at: datetime,
    ) -> Iterator[x509.CertificateRevocationList]:  # fmt: skip
        for found in given:
            if _counts(found, issuer, at):
                yield found
        for url in _addresses(one):
            fetched = self._at(url, at)
            if fetched is not None and _counts(fetched, issuer, at):
                yield fetched

    def _at(self, url: str, at: datetime) -> x509.CertificateRevocationList | None:
        with self._lock:
            known, failed = self._fetched.get(url), self._failed.get(url)
        if known is not None and _is_current(known, at):
            return known
        if failed is not None and self._now() < failed + REST_S:
            return None
        try:
            found = read_list(self._fetch(url))
        except (OSError, ValueError):
            found = None
        with self._lock:
            for table in (self._fetched, self._failed):
                while len(table) >= KEPT:
                    table.pop(next(iter(table)))
            if found is None:
                self._failed[url] = self._now()
            else:
                self._fetched[url] = found
        return found


def read_list(octets: bytes) -> x509.CertificateRevocationList | None:
    """A list in PEM or DER; None for what is none."""
    load = x509.load_pem_x509_crl if octets.lstrip().startswith(b"-----BEGIN") else x509.load_der_x509_crl
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return load(octets)
    except (ValueError, UnsupportedAlgorithm):
        return None


def _addresses(one: x509.Certificate) -> list[str]:
    try:
        points = one.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    names = [name for point in points for name in point.full_name or ()]
    return [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]


def _is_current(found: x509.CertificateRevocationList, at: datetime) -> bool:
    ends = found.next_update_utc
    return found.last_update_utc <= at and (ends is None or at <= ends)


def _counts(found: x509.CertificateRevocationList, issuer: x509.Certificate, at: datetime) -> bool:
    if found.issuer != issuer.subject or not _is_current(found, at):
        return False
    try:
        return found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # other kinds raise TypeError
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False
