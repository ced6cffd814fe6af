# SPDX-License-Identifier: Apache-2.0
"""Which ways to prove itself a peer takes (RFC 9593): said where a policy leaves a choice, heard where we have one.

An announcement is a method of AUTH, for signatures with the authority whose certificates it is about (its place in the
CERTREQ beside, 0 for any) and the algorithm. A responder says them in IKE_SA_INIT, an initiator that has heard some in
IKE_AUTH. They choose among the ways that a policy allows anyhow, and never add one: what is heard is no more than a
wish, and AUTH covers IKE_SA_INIT, so that nobody in between leads either side to another way than its peer wanted.

A peer that would rather say them in IKE_INTERMEDIATE announces nothing before it; it is met as one that says none.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import SCHEMES, KeyKind, PublicKey
from ringfence.databases.certification import CertificateAuth
from ringfence.databases.pad import Auth, NullAuth, PadEntry, PresharedKey
from ringfence.databases.rawkeys import PublicKeyAuth
from ringfence.ike.payload import Chain
from ringfence.ike.v2.certificates import AUTHORITY_OCTETS
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import CertRequestPayload, NotifyPayload
from ringfence.ike.v2.signatures import CURVES, HASHES

MOST = 128
"""Announcements that are read of one message."""
SHORT, LINKED = 2, 3
"""Octets of an announcement without and with the place of an authority; longer ones have an algorithm behind that."""
OLD = {kind: method for method, kind in CURVES.items()}


@dataclass(frozen=True, slots=True)
class Announcement:
    """One way that somebody takes."""

    method: int
    link: int | None = None
    """Of which authority in CERTREQ, from 1 on; 0 for any. None: the method is about no certificate."""
    identifier: bytes = b""
    """The AlgorithmIdentifier in DER, where the method has one."""

    def encode(self) -> bytes:
        """As on the wire (§3.2)."""
        body = b"" if self.link is None else bytes((self.link,)) + self.identifier
        return bytes((SHORT + len(body), self.method)) + body


def decode(data: bytes) -> Iterator[Announcement]:
    """Those in a notify, up to what is malformed."""
    at = 0
    for _ in range(MOST):
        if at + SHORT > len(data) or data[at] < SHORT or at + data[at] > len(data):
            return
        one = data[at : at + data[at]]
        at += len(one)
        yield Announcement(one[1], one[2] if len(one) >= LINKED else None, one[LINKED:])


def heard(chain: Chain) -> frozenset[Announcement] | None:
    """What a peer announces in a message; None for nothing at all."""
    data = [each.data for each in chain.all(NotifyPayload) if each.kind == Notify.SUPPORTED_AUTH_METHODS]
    found = frozenset(one for each in data for one in decode(each))
    return found or None


# Ours --------------------------------------------------------------------------------------------------------------


def said(entries: Sequence[PadEntry], asks: Iterable[CertRequestPayload]) -> tuple[NotifyPayload, ...]:
    """What we announce beside our requests for certificates; nothing where there is no choice."""
    ways = tuple(dict.fromkeys(way for each in entries for way in each.auth))
    if len(ways) < 2:
        return ()
    authorities = [
        each.authorities[at : at + AUTHORITY_OCTETS]
        for each in asks
        for at in range(0, len(each.authorities), AUTHORITY_OCTETS)
    ]
    sha1 = any(each.sha1 for each in entries)
    found = dict.fromkeys(one for way in ways for one in _of(way, authorities, sha1=sha1))
    data = b"".join(one.encode() for one in found)
    return (NotifyPayload(Notify.SUPPORTED_AUTH_METHODS, data),) if data else ()


def _of(way: Auth, authorities: list[bytes], *, sha1: bool) -> Iterator[Announcement]:
    match way:
        case PresharedKey():
            yield Announcement(AuthMethod.SHARED_KEY)
        case NullAuth():
            yield Announcement(AuthMethod.NULL)
        case CertificateAuth():
            names = [Certificate.read(one).key_id for one in way.anchors]
            links = [at for at, one in enumerate(authorities, 1) if one in names and at < 256]
            for link in links or [0]:
                yield from _signed(way.signing, link, sha1=sha1)
        case PublicKeyAuth():
            kinds = {PublicKey(one.info).kind: None for one in way.keys if one.info}
            for kind in kinds or ([] if way.own is None else [way.own.kind]):
                yield from _signed(kind, 0, sha1=sha1)
        case _:  # by EAP, which is no method of AUTH
            return


def _signed(kind: KeyKind, link: int, *, sha1: bool) -> Iterator[Announcement]:
    for row in SCHEMES.values():
        if kind in row.keys and row.identifier and row.hash_number in HASHES:
            yield Announcement(AuthMethod.SIGNATURE, link, row.identifier)
    if kind in OLD:
        yield Announcement(OLD[kind], link)
    if kind is KeyKind.RSA and sha1:
        yield Announcement(AuthMethod.RSA, link)


# The peer's --------------------------------------------------------------------------------------------------------


def suits(way: Auth, announced: frozenset[Announcement] | None) -> bool:
    """Whether who announced that takes a way of ours; where nothing was announced, it may."""
    if announced is None:
        return True
    methods = {one.method for one in announced}
    match way:
        case PresharedKey():
            return AuthMethod.SHARED_KEY in methods
        case NullAuth():
            return AuthMethod.NULL in methods
        case CertificateAuth():
            return _takes(way.signing, announced)
        case PublicKeyAuth():
            return way.own is not None and _takes(way.own.kind, announced)
        case _:
            return True


def _takes(kind: KeyKind, announced: frozenset[Announcement]) -> bool:
    names = {row.identifier for row in SCHEMES.values() if kind in row.keys and row.identifier}
    old = {OLD.get(kind), AuthMethod.RSA if kind is KeyKind.RSA else None}
    return any(
        one.identifier in names if one.method == AuthMethod.SIGNATURE else one.method in old for one in announced
    )
