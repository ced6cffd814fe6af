# SPDX-License-Identifier: Apache-2.0
"""EAP-TLS (RFC 5216, with TLS 1.3 RFC 9190): both sides show certificates, inside messages that may go in pieces.

    authenticator                          peer
    start                           ->
                                    <-     ClientHello
    ServerHello … , certificate     ->
                                    <-     certificate, proof, Finished
    Finished (1.2), or a zero (1.3) ->
                                    <-     nothing

Each packet begins with flags; a message that does not fit goes in several, of which the other side acknowledges all but
the last by an empty one. The TLS is a library's. Which certificates are trusted is judged as for IKE, when the
handshake is through and before anything rests on it.
"""

import struct
from collections.abc import Callable, Generator, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from ringfence.credentials.eap.errors import BadPacket, Denied
from ringfence.credentials.eap.method import PeerDialogue, Reply, ServerDialogue
from ringfence.crypto.signature import PrivateKey
from ringfence.secret import Secret

LEGACY_SERVER_CONNECT = 0x4
"""OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT, which pyOpenSSL does not name."""
LENGTH, MORE, START = 0x80, 0x40, 0x20
PIECE = 1000
"""Octets of TLS in a packet, so that it fits into a message of IKE that is not cut into pieces again."""
LARGEST = 65536
"""Octets of one side's turn; a chain of certificates has a few thousand."""
READ = 65536
MSK_OCTETS = 64
TYPE = b"\x0d"
OLD_LABEL, NEW_LABEL = b"client EAP encryption", b"EXPORTER_EAP_TLS_Key_Material"

Judge = Callable[[Sequence[bytes]], str]
"""What is wrong with a chain in DER, the other side's own first; empty for nothing."""
_Pieces = Generator[bytes, bytes, bytes]


class Tls:
    """One side of a TLS connection that is carried in pieces."""

    def __init__(self, chain: Sequence[bytes], key: PrivateKey, judge: Judge, *, server: bool) -> None:
        """``chain`` is our certificate in DER and what leads to its authority; raises Denied where they do not fit."""
        self._judge = judge
        self._server = server
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        # Some servers do not say how they renegotiate (RFC 5746); nobody renegotiates here.
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | LEGACY_SERVER_CONNECT)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        leaf, *more = (x509.load_der_x509_certificate(one) for one in chain)
        try:
            context.use_certificate(leaf)
            for one in more:
                context.add_extra_chain_cert(one)
            context.use_privatekey(key.for_library())
        except SSL.Error:
            raise Denied("our certificate cannot be used for TLS") from None
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self._connection = SSL.Connection(context, None)
        if server:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()
        self._shaken = False
        self.done = False
        """Whether both sides have shown all that they should."""
        self.failure = ""
        """Why it has failed; what ``take`` returned with it is the alert that says so."""
        self.leaf = b""
        """The other side's certificate in DER, once it has proved it."""

    def take(self, octets: bytes) -> bytes:
        """Go on with what the other side says, and return what to say."""
        if octets:
            self._connection.bio_write(octets)
        try:
            self._go_on()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self.failure = f"TLS fails: {_words(error)}"
        except Denied as error:  # what OpenSSL would say now is not for somebody whom we do not trust
            self.failure = error.message
            return b""
        return self._said()

    def _go_on(self) -> None:
        if not self._shaken:
            self._connection.do_handshake()
            self._shaken = True
            self._check()
            if self._server and self._is_new:
                self._connection.send(b"\0")  # the promise that nothing more comes (RFC 9190 §2.5)
            self.done = self._server or not self._is_new
        if not self.done:
            self._connection.recv(READ)
            self.done = True

    def _check(self) -> None:
        chain = self._connection.get_peer_cert_chain(as_cryptography=True) or []
        leaf = self._connection.get_peer_certificate(as_cryptography=True)
        if leaf is None:
            raise Denied("the other side shows no certificate")
        self.leaf = leaf.public_bytes(Encoding.DER)
        others = [found for one in chain if (found := one.public_bytes(Encoding.DER)) != self.leaf]
        if wrong := self._judge((self.leaf, *others)):
            raise Denied(wrong)

    def _said(self) -> bytes:
        whole = b""
        while True:
            try:
                whole += self._connection.bio_read(READ)
            except SSL.WantReadError:
                return whole

    @property
    def _is_new(self) -> bool:
        return self._connection.get_protocol_version() >= SSL.TLS1_3_VERSION

    def key(self) -> Secret:
        """The first 64 octets that both sides derive (RFC 5216 §2.3, RFC 9190 §2.3)."""
        label, context = (NEW_LABEL, TYPE) if self._is_new else (OLD_LABEL, None)
        return Secret(self._connection.export_keying_material(label, 2 * MSK_OCTETS, context)[:MSK_OCTETS], exact=True)


def _words(error: SSL.Error) -> str:
    reasons = [str(one[2]) for one in (error.args[0] if error.args and isinstance(error.args[0], list) else [])]
    return ", ".join(filter(None, reasons)) or "the other side ends it"


def _read(data: bytes) -> tuple[int, bytes]:
    """The flags, and the octets of TLS."""
    if not data:
        raise BadPacket("a packet of EAP-TLS has no flags")
    at = 5 if data[0] & LENGTH else 1
    if len(data) < at:
        raise BadPacket("a packet of EAP-TLS is cut short")
    return data[0], data[at:]


def _whole(first: bytes) -> _Pieces:
    """What the other side says, of which ``first`` is here."""
    whole, data = b"", first
    while True:
        flags, octets = _read(data)
        whole += octets
        if len(whole) > LARGEST:
            raise BadPacket("a message of EAP-TLS is too long")
        if not flags & MORE:
            return whole
        data = yield b"\0"


def _pieces(message: bytes) -> _Pieces:
    """Say a message, and return what the other side says then."""
    rest, length = message, struct.pack(">I", len(message))
    while len(rest) > PIECE:
        flags = (LENGTH if length else 0) | MORE
        acknowledged = yield bytes((flags,)) + length + rest[:PIECE]
        if _read(acknowledged)[1]:
            raise BadPacket("the other side of EAP-TLS talks in between")
        rest, length = rest[PIECE:], b""
    return (yield b"\0" + rest)


def ask(tls: Tls) -> ServerDialogue:
    """The authenticator's side."""
    given = yield bytes((START,))
    while True:
        heard = yield from _whole(given)
        if tls.done and not heard:
            return tls.key()
        said = tls.take(heard)
        if not said:
            raise Denied(tls.failure or "the peer ends TLS before it is through")
        given = yield from _pieces(said)
        if tls.failure:
            raise Denied(tls.failure)


def answer(first: bytes, tls: Tls) -> PeerDialogue:
    """The peer's side."""
    flags, _ = _read(first)
    if not flags & START:
        raise BadPacket("the server begins EAP-TLS without a start")
    said = tls.take(b"")
    while True:
        given = yield from _replied(_pieces(said), tls)
        heard = yield from _replied(_whole(given), tls)
        said = tls.take(heard)
        if tls.failure and not said:
            raise Denied(tls.failure)


def _replied(pieces: _Pieces, tls: Tls) -> Generator[Reply, bytes, bytes]:
    """Each piece as a peer's reply; it says so where nothing more is wanted."""
    try:
        data = next(pieces)
        while True:
            done = tls.done and not tls.failure
            data = pieces.send((yield Reply(data, done, tls.key() if done else None, tls.failure)))
    except StopIteration as stop:
        whole: bytes = stop.value
        return whole
