# SPDX-License-Identifier: Apache-2.0
"""Conversations that are under way for an IKE engine, which sees packets and, in the end, a key.

An engine that gives up does not say so: what nobody went on with for a while is forgotten, the oldest first where there
are too many.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from ringfence.credentials.eap import gtc, md5, mschapv2, tls
from ringfence.credentials.eap.authenticator import Ask, Authenticator, Passed, Refused
from ringfence.credentials.eap.errors import Denied, EapError
from ringfence.credentials.eap.method import PeerDialogue, ServerDialogue
from ringfence.credentials.eap.packet import Type
from ringfence.credentials.eap.peer import Begin, LetIn, Peer
from ringfence.credentials.eap.radius import RadiusAuthenticator
from ringfence.crypto.certificate import Certificate
from ringfence.crypto.errors import CryptoError
from ringfence.crypto.signature import KeyKind, PrivateKey
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.eap import EapAuth, EapMethod, Users
from ringfence.ike.effects import Answer, Converse, Conversed, Trusted, Unfit
from ringfence.ike.errors import Reason
from ringfence.secret import Secret

MOST = 10_000
SILENT_S = 120.0
"""Longer than a message of IKE is repeated."""
NAME = b"ringfence"
"""What an authenticator calls itself where a method wants a name."""

TYPES: dict[EapMethod, int] = {
    EapMethod.MSCHAPV2: Type.MSCHAPV2, EapMethod.TLS: Type.TLS, EapMethod.GTC: Type.GTC, EapMethod.MD5: Type.MD5
}  # fmt: skip

Validator = Callable[[Sequence[bytes], tuple[CertificateAuth, ...]], Answer]
"""Whether a chain is trusted by one of the ways."""
_Side = Peer | Authenticator | RadiusAuthenticator


@dataclass(slots=True)
class _Talk:
    side: _Side
    way: EapAuth
    heard_at: float
    channel: tls.Tls | None = None


class Conversations:
    """All of one keeper."""

    def __init__(self, clock: Callable[[], float], validate: Validator, most: int = MOST) -> None:
        """``clock`` in seconds, from any beginning."""
        self._clock = clock
        self._most = most
        self._validate = validate
        self._keys: Mapping[str, PrivateKey] = {}
        self._talks: dict[int, _Talk] = {}
        self._lock = Lock()
        """Questions come from several threads; those of one conversation follow each other."""

    def hold(self, keys: Mapping[str, PrivateKey]) -> None:
        """The keys of our certificates, by their thumbprints."""
        self._keys = keys

    def __len__(self) -> int:
        return len(self._talks)

    def answer(self, question: Converse) -> Answer:
        """The next packet, or the end; never raises for what a peer sent."""
        now = self._clock()
        try:
            talk = self._taken(question, now)
            found = self._go_on(question, talk)
        except (EapError, CryptoError) as error:
            return Unfit(Reason.EAP_FAILED, error.message)
        if isinstance(found, Conversed) and not found.ended:
            talk.heard_at = now
            with self._lock:
                self._talks[question.conversation] = talk
        return found

    def _taken(self, question: Converse, now: float) -> _Talk:
        """The conversation; what is not put back is over."""
        with self._lock:
            talk = self._talks.pop(question.conversation, None)
            self._forget(now)
        if talk is None and question.begins:
            return self._begin(question, now)
        if talk is None:
            raise Denied("the conversation has been given up")
        return talk

    def _forget(self, now: float) -> None:
        """Those that nobody goes on with; they stand in the order in which they were last heard of."""
        while self._talks:
            number, talk = next(iter(self._talks.items()))
            if now - talk.heard_at < SILENT_S and len(self._talks) < self._most:
                return
            del self._talks[number]

    def _go_on(self, question: Converse, talk: _Talk) -> Answer:
        side = talk.side
        if question.begins and not isinstance(side, Peer):
            return Conversed(side.begin())
        found = side.answer(question.packet)
        if isinstance(found, bytes):
            return Conversed(found, refused=side.told if isinstance(side, Authenticator) else "")
        if isinstance(found, Refused):
            whom = f'"{found.name}": ' if found.name else ""
            return Conversed(found.packet, ended=True, refused=f"{whom}{found.why}")
        if isinstance(found, LetIn):
            return Conversed(b"", ended=True, key=found.key)
        return self._passed(found, talk)

    def _passed(self, found: Passed, talk: _Talk) -> Answer:
        leaf = talk.channel.leaf if talk.channel is not None else b""
        if leaf and not _is_named(found.name, Certificate.read(leaf)):
            raise Denied(f'the certificate is not that of "{found.name}"')
        return Conversed(found.packet, ended=True, key=found.key, name=found.name)

    def _begin(self, question: Converse, now: float) -> _Talk:
        way = question.way
        talk = _Talk(Peer(b"", {}), way, now)
        if question.server:
            talk.side = self._server(question, talk)
        elif way.user is None:
            raise Denied("the policy does not say as whom to authenticate")
        else:
            begins = {TYPES[one]: begin for one in way.methods if (begin := self._peer(one, way, talk)) is not None}
            talk.side = Peer((way.user.name or self._own_name(way)).encode(), begins)
        return talk

    # The peer ------------------------------------------------------------------------------------------------------

    def _peer(self, method: EapMethod, way: EapAuth, talk: _Talk) -> Begin | None:
        """How to begin a method; None for one that we have nothing for."""
        user = way.user
        if method is EapMethod.TLS:
            return (lambda first, _: self._tls_peer(first, talk)) if self._certificate(way) is not None else None
        if user is None or user.password is None:
            return None
        name, password = user.name.encode(), user.password
        match method:
            case EapMethod.MSCHAPV2:
                return lambda first, _: mschapv2.answer(first, name, password, secrets.token_bytes)
            case EapMethod.GTC:
                return lambda _first, _identifier: gtc.answer(password)
            case EapMethod.MD5:
                return lambda first, identifier: md5.answer(first, identifier, name, password)

    def _tls_peer(self, first: bytes, talk: _Talk) -> PeerDialogue:
        talk.channel = self._tls(talk.way, server=False)
        return tls.answer(first, talk.channel)

    def _own_name(self, way: EapAuth) -> str:
        own = self._certificate(way)
        if own is None:
            raise Denied("the policy does not say as whom to authenticate")
        leaf = own.leaf
        return next(iter(leaf.emails or leaf.dns or leaf.attribute("CN")), "")

    # The authenticator ---------------------------------------------------------------------------------------------

    def _server(self, question: Converse, talk: _Talk) -> Authenticator | RadiusAuthenticator:
        way = question.way
        if isinstance(way.directory, tuple):
            return RadiusAuthenticator(way.directory, question.station)
        users = way.directory or Users("")
        asks = {TYPES[one]: ask for one in way.methods if (ask := self._asks(one, users, talk)) is not None}
        if not asks:
            raise Denied("the policy names no method that we can ask for")
        return Authenticator(asks, secrets.randbelow(256))

    def _asks(self, method: EapMethod, users: Users, talk: _Talk) -> Ask | None:
        known = users.passwords
        match method:
            case EapMethod.TLS:
                return (lambda _name, _: self._tls_server(talk)) if self._certificate(talk.way) is not None else None
            case EapMethod.MSCHAPV2:
                return lambda name, _: mschapv2.ask(known.get(name), secrets.token_bytes, NAME)
            case EapMethod.GTC:
                return lambda name, _: gtc.ask(known.get(name))
            case EapMethod.MD5:
                return lambda name, identifier: md5.ask(
                    identifier, _as_text(known.get(name)), secrets.token_bytes, NAME
                )

    def _tls_server(self, talk: _Talk) -> ServerDialogue:
        talk.channel = self._tls(talk.way, server=True)
        return tls.ask(talk.channel)

    # Both ----------------------------------------------------------------------------------------------------------

    def _certificate(self, way: EapAuth) -> OwnCertificate | None:
        """Ours for TLS, with whose key we can sign."""
        own = way.users_of.own if way.users_of is not None else ()
        return next((one for one in own if one.id in self._keys), None)

    def _tls(self, way: EapAuth, *, server: bool) -> tls.Tls:
        own, of = self._certificate(way), way.users_of
        if own is None or of is None:
            raise Denied("there is no certificate with its key for EAP-TLS")
        ways = tuple(replace(of, signing=kind) for kind in KeyKind)

        def judge(chain: Sequence[bytes]) -> str:
            found = self._validate(chain, ways)
            return "" if isinstance(found, Trusted) else found.detail if isinstance(found, Unfit) else "it is unknown"

        return tls.Tls(own.chain, self._keys[own.id], judge, server=server)


def _as_text(password: Secret | None) -> Secret | None:
    """A password that is kept as it is, which MD5 needs."""
    return None if password is None or password.exact else password


def _is_named(name: str, leaf: Certificate) -> bool:
    """Whether a certificate is of him who says that he is ``name`` (RFC 5216 §5.2)."""
    return any(leaf.has_name(kind, name) for kind in ("email", "upn", "dns", "cn"))
