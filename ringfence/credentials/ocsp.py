# SPDX-License-Identifier: Apache-2.0
"""What an authority says of one certificate (OCSP, RFC 6960): stapled by its owner, or asked for by HTTP.

An answer counts if it is about that certificate of that issuer, is not out of date, and was signed by the issuer, or by
whom the issuer has given a certificate for just that. SHA-1 signs nothing here. Nobody is asked for a nonce, which
hardly anybody answers; what bounds the age of an answer is its own time. An answer that does not count is none.
"""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ringfence.credentials.web import KEPT, REST_S, fetch

ANSWER_OCTETS = 64 << 10
SKEW = timedelta(minutes=5)
"""An answer may be from the future by so much."""
FRESH = timedelta(hours=1)
"""How old one may be that does not say when the next will come."""
STRONG = ("sha256", "sha384", "sha512")

K = TypeVar("K")
V = TypeVar("V")
Post = Callable[[str, bytes], bytes]


def post(url: str, request: bytes) -> bytes:
    """Ask a responder; raises OSError or ValueError."""
    return fetch(url, request, "application/ocsp-request", ANSWER_OCTETS)


class Known:
    """What is known of one certificate."""

    def __init__(self, octets: bytes, single: ocsp.OCSPSingleResponse) -> None:
        self.octets = octets
        """The answer, as it may be stapled."""
        self.since, self.until = single.this_update_utc, single.next_update_utc
        self.good = single.certificate_status is ocsp.OCSPCertStatus.GOOD
        self.revoked_on = single.revocation_time_utc or None
        """None where it is not revoked."""

    def is_current(self, at: datetime) -> bool:
        """Whether its time has begun, and has not ended."""
        return self.since <= at + SKEW and at <= (self.until or self.since + FRESH)


def read(octets: bytes, one: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Known | None:
    """What an answer says of ``one``; None where it does not count, or its issuer does not know it."""
    try:
        answer = ocsp.load_der_ocsp_response(octets)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL or not _is_signed(answer, issuer, at):
            return None
        known = (Known(octets, each) for each in answer.responses if _is_about(each, one, issuer))
        return next((each for each in known if each.is_current(at) and (each.good or each.revoked_on)), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _is_about(single: ocsp.OCSPSingleResponse, one: x509.Certificate, issuer: x509.Certificate) -> bool:
    if single.hash_algorithm.name not in ("sha1", *STRONG):
        return False
    wanted = ocsp.OCSPRequestBuilder().add_certificate(one, issuer, single.hash_algorithm).build()
    return (single.serial_number, single.issuer_name_hash, single.issuer_key_hash) == (
        wanted.serial_number, wanted.issuer_name_hash, wanted.issuer_key_hash,
    )  # fmt: skip


def _is_signed(answer: ocsp.OCSPResponse, issuer: x509.Certificate, at: datetime) -> bool:
    return any(_signed_by(answer, one) for one in (issuer, *_delegates(answer.certificates, issuer, at)))


def _delegates(shown: Iterable[x509.Certificate], issuer: x509.Certificate, at: datetime) -> list[x509.Certificate]:
    """Whom the issuer lets answer in its name (RFC 6960 §4.2.2.2)."""
    return [one for one in shown if _is_delegate(one, issuer, at)]


def _is_delegate(one: x509.Certificate, issuer: x509.Certificate, at: datetime) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
        usages = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    current = one.not_valid_before_utc <= at <= one.not_valid_after_utc
    return current and x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING in usages


def _signed_by(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), answer.signature_hash_algorithm
    try:
        match key:
            case rsa.RSAPublicKey() if algorithm is not None and algorithm.name in STRONG:
                key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
            case ec.EllipticCurvePublicKey() if algorithm is not None and algorithm.name in STRONG:
                key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
            case _:
                return False
    except InvalidSignature:
        return False
    return True


class Responders:
    """What they have said."""

    def __init__(self, post: Post = post, now: Callable[[], float] = time.monotonic) -> None:
        self._post = post
        self._now = now
        self._lock = threading.Lock()
        self._known: dict[bytes, Known] = {}
        self._failed: dict[str, float] = {}

    def about(self, one: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Known | None:
        """What the authority's responder says of ``one``; None where there is none, or it says nothing that counts."""
        key = one.fingerprint(hashes.SHA256())
        with self._lock:
            known = self._known.get(key)
        if known is not None and known.is_current(at):
            return known
        for url in addresses(one):
            found = self._asked(url, one, issuer, at)
            if found is not None:
                with self._lock:
                    _put(self._known, key, found)
                return found
        return None

    def _asked(self, url: str, one: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Known | None:
        with self._lock:
            failed = self._failed.get(url)
        if failed is not None and self._now() < failed + REST_S:
            return None
        request = ocsp.OCSPRequestBuilder().add_certificate(one, issuer, hashes.SHA1()).build()  # noqa: S303 - a name
        try:
            found = read(self._post(url, request.public_bytes(Encoding.DER)), one, issuer, at)
        except (OSError, ValueError):
            found = None
        if found is None:
            with self._lock:
                _put(self._failed, url, self._now())
        return found


def _put(table: dict[K, V], key: K, value: V) -> None:
    while len(table) >= KEPT:
        table.pop(next(iter(table)))
    table[key] = value


def addresses(one: x509.Certificate) -> list[str]:
    """Where a certificate says that its authority answers."""
    try:
        points = one.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    named = [point.access_location for point in points if point.access_method == x509.OID_OCSP]
    return [name.value for name in named if isinstance(name, x509.UniformResourceIdentifier)]
