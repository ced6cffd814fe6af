# SPDX-License-Identifier: Apache-2.0
"""Whether a certificate is revoked: lists of authorities (RFC 5280 §5), and what they say of one (RFC 6960).

What is at hand is looked at first: lists from files, and the answers that a peer brings. If one of them says so, the
certificate is revoked. Where none knows it, its authority is asked, by OCSP and then for its list, both by HTTP from
where the certificate says. A list counts if the issuer of the certificate signed it and it is not out of date. Fetched
ones are kept until then; an address that does not answer is not asked again for a minute, so that a peer's certificate
cannot make us ask much, nor in one question for longer than ``ALL_S``.
"""

import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice, pairwise

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from ringfence.credentials.ocsp import Known, Responders, read
from ringfence.credentials.web import KEPT, REST_S, fetch
from ringfence.databases.certification import Revocation
from ringfence.ike.effects import Unfit
from ringfence.ike.errors import Reason

Fetch = Callable[[str], bytes]
ALL_S = 10.0
"""Nothing more is asked for a certificate and those above it after so long."""


class RevocationLists:
    """Those that are known."""

    def __init__(
        self, fetch: Fetch = fetch, now: Callable[[], float] = time.monotonic, responders: Responders | None = None
    ) -> None:
        self.responders = responders or Responders(now=now)
        """What authorities say of single certificates."""
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._fetched: dict[str, x509.CertificateRevocationList] = {}
        self._failed: dict[str, float] = {}

    def check(
        self, path: Sequence[x509.Certificate], how: Revocation, files: Iterable[bytes], at: datetime,
        stapled: Iterable[bytes] = (),
    ) -> Unfit | None:  # fmt: skip
        """What is wrong with a ``path``, whose last is trusted whatever lists say; None for nothing.

        ``stapled`` are answers of OCSP that the peer has brought.
        """
        if how is Revocation.NONE:
            return None
        given, brought = [one for one in map(read_list, files) if one is not None], [*stapled]
        ends = self._now() + ALL_S
        for one, issuer in pairwise(path):
            subject = one.subject.rfc4514_string()
            said = [*_in_lists(one, (found for found in given if _counts(found, issuer, at)))]
            said += [_revoked_on(known) for each in brought if (known := read(each, one, issuer, at)) is not None]
            said = said or [*islice(self._asked(one, issuer, at, ends), 1)]
            if not said and how is Revocation.STRICT:
                what = f'no list says whether the certificate "{subject}" is revoked, nor does its authority'
                return Unfit(Reason.NO_REVOCATION_LIST, f"{what}, and the policy is strict about that")
            if when := next((each for each in said if each), ""):
                return Unfit(Reason.REVOKED, f'the certificate "{subject}" was revoked on {when} by its authority')
        return None

    def _asked(self, one: x509.Certificate, issuer: x509.Certificate, at: datetime, ends: float) -> Iterator[str]:
        """When it was revoked by what the network gives, one after the other; empty where it was not."""
        if self._now() < ends and (known := self.responders.about(one, issuer, at)) is not None:
            yield _revoked_on(known)
        for url in _addresses(one):
            fetched = self._at(url, at) if self._now() < ends else None
            if fetched is not None and _counts(fetched, issuer, at):
                yield from _in_lists(one, (fetched,))

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


def _in_lists(one: x509.Certificate, lists: Iterable[x509.CertificateRevocationList]) -> Iterator[str]:
    for found in lists:
        entry = found.get_revoked_certificate_by_serial_number(one.serial_number)
        yield "" if entry is None else f"{entry.revocation_date_utc:%Y-%m-%d}"


def _revoked_on(known: Known) -> str:
    return "" if known.revoked_on is None else f"{known.revoked_on:%Y-%m-%d}"


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
