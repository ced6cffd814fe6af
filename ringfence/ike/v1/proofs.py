# SPDX-License-Identifier: Apache-2.0
"""Who a peer is and who we are, in messages 5 and 6 of main mode: by a preshared key, or by signatures (RFC 2409 §5).

    HDR*, ID, HASH                            with a preshared key (§5.4)
    HDR*, ID, CERT, [ CERT, … ] SIG           with signatures (§5.1)

By signatures, messages 3 and 4 ask for certificates of the authorities that the policy trusts. Ours goes first, then
those that lead from it to the authority, each in a payload of its own; Windows may send all in one bag of PKCS #7.
The peer's signature is checked before anything is believed, so that only who holds the key of that certificate can be
refused for it. Its ID has to be one of the certificate's names (RFC 4945 §3.1).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ringfence.crypto.certificate import Certificate, same_dn
from ringfence.crypto.integrity import same
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.identity import Identity
from ringfence.databases.pad import Auth, PadEntry, PresharedKey
from ringfence.databases.proposal import IkeProposal
from ringfence.databases.rawkeys import OwnKey, PublicKeyAuth
from ringfence.ike import claims, rawkeys
from ringfence.ike.claims import X509_SIGNATURE, Claim
from ringfence.ike.errors import Aborted, IkeError, Reason
from ringfence.ike.exchange import Exchange, Message
from ringfence.ike.identities import local_identity
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v1 import keys as k
from ringfence.ike.v1 import rawkeys as rawkeys1
from ringfence.ike.v1.authentication import Authentication, machine, prf_for, scheme_for, signing
from ringfence.ike.v1.identities import identity_of, main_id
from ringfence.ike.v1.payloads import CertPayload, CertRequestPayload, HashPayload, IdPayload, SigPayload
from ringfence.net.address import Path

Check = Callable[[Message], None]


class Proof(Protocol):
    """How both sides prove who they are in one main mode."""

    def requests(self) -> tuple[Payload, ...]:
        """What we ask for in message 3 or 4."""

    def own_name(self, entry: PadEntry, path: Path) -> Identity:
        """Who we say we are, where it is said before the peer has asked for anything; raises Aborted."""

    def derive(self, proposal: IkeProposal, shared: k.Shared) -> k.MainKeys:
        """The keys."""

    def show(self, entry: PadEntry, path: Path, keys: k.MainKeys, said: "Said") -> Exchange["Shown"]:
        """Our identity and proof."""

    def check(self, keys: k.MainKeys, sa_body: bytes, *, initiator: bool) -> Check:
        """The check of message 5 or 6."""

    def claim(self, chain: Chain) -> Claim:
        """What a message that passed the check says of its sender."""

    def ways(self, entry: PadEntry) -> tuple[Auth, ...]:
        """The ways of another entry that this may prove as well."""

    def judge(self, claim: Claim, ways: Sequence[Auth]) -> Exchange[Auth]:
        """By which of ``ways`` the claim is true; raises Aborted for none."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a proof is made of, besides the keys."""

    sa_body: bytes
    """Of message 1."""
    initiator: bool
    asked: Chain
    """The peer's message with its requests."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What we say in message 5 or 6."""

    identity: Identity
    payloads: tuple[Payload, ...]


def proof_for(method: Authentication, ways: Iterable[Auth], others: Iterable[PadEntry] = ()) -> Proof:
    """The proof by ``method``, which ``ways`` allow; a peer may be one of ``others``, whose key shows that."""
    kept = tuple(ways)
    if machine(method) is not Authentication.PRESHARED_KEY:
        known = (one for entry in others for one in signing(entry.auth, method) if isinstance(one, PublicKeyAuth))
        return SignatureProof(method, signing(kept, method), tuple(known))
    for one in kept:
        if isinstance(one, PresharedKey):
            return KeyProof(one)
    raise Aborted(Reason.NO_POLICY, "there is no preshared key")


# By a preshared key ------------------------------------------------------------------------------------------------


class KeyProof:
    """Both sides know a key."""

    def __init__(self, key: PresharedKey) -> None:
        self._key = key

    def requests(self) -> tuple[Payload, ...]:
        """Nothing."""
        return ()

    def own_name(self, entry: PadEntry, path: Path) -> Identity:
        """As the policy says, or our address."""
        return entry.local_identity or Identity.of_address(path.local.address)

    def derive(self, proposal: IkeProposal, shared: k.Shared) -> k.MainKeys:
        """Keys that only who knows the key has."""
        return k.derive(proposal, self._key.key, shared)

    def show(self, entry: PadEntry, path: Path, keys: k.MainKeys, said: Said) -> Exchange[Shown]:
        """ID and HASH."""
        yield from ()
        local = self.own_name(entry, path)
        mine = main_id(local)
        proof = HashPayload(keys.proof(said.sa_body, mine.encode(), initiator=said.initiator))
        return Shown(local, (mine, proof))

    def check(self, keys: k.MainKeys, sa_body: bytes, *, initiator: bool) -> Check:
        """Its sender knows the key."""

        def check(message: Message) -> None:
            expected = keys.proof(sa_body, message.chain.body(IdPayload), initiator=initiator)
            if not same(message.chain.one(HashPayload).data, expected):
                raise wrong_key("the proof in it is wrong")

        return check

    def claim(self, chain: Chain) -> Claim:
        """What it calls itself; the key proves no name."""
        identity = identity_of(chain.one(IdPayload))
        return Claim(identity, (identity,))

    def ways(self, entry: PadEntry) -> tuple[Auth, ...]:
        """The same key."""
        return tuple(one for one in entry.auth if one == self._key)

    def judge(self, claim: Claim, ways: Sequence[Auth]) -> Exchange[Auth]:
        """Who knows the key is who he says."""
        del claim, ways
        yield from ()
        return self._key


def wrong_key(what: str) -> IkeError:
    """What a message that another key made ends in."""
    return Aborted(Reason.WRONG_KEY, f"the peer has another pre-shared key: {what}")


# By signatures -----------------------------------------------------------------------------------------------------


class SignatureProof:
    """Both sides have certificates, or keys that the other knows without any."""

    def __init__(
        self, method: Authentication, ways: tuple[CertificateAuth | PublicKeyAuth, ...],
        known: tuple[PublicKeyAuth, ...] = (),
    ) -> None:  # fmt: skip
        """``known`` are keys of other peers, who may have begun."""
        self._method = method
        self._ways = tuple(one for one in ways if isinstance(one, CertificateAuth))
        self._known = (*rawkeys.of(ways), *known)
        self._key = ways[0].own if ways and isinstance(ways[0], PublicKeyAuth) else None
        self._proven: rawkeys.Proven | None = None

    def requests(self) -> tuple[Payload, ...]:
        """Each authority by its name; one request without a name where the policy keeps that back."""
        if not self._ways:
            return ()
        names = dict.fromkeys(name for way in self._ways if way.asks_by_name for name in way.names)
        return tuple(CertRequestPayload(X509_SIGNATURE, name) for name in names or (b"",))

    def own_name(self, entry: PadEntry, path: Path) -> Identity:
        """As the policy says, or the first certificate; with a key alone, our address."""
        return self._called(self._own(Chain(())), entry, path)

    @staticmethod
    def _called(own: OwnCertificate | OwnKey, entry: PadEntry, path: Path) -> Identity:
        if entry.local_identity is not None:
            return entry.local_identity
        return claims.own_identity(own.leaf) if isinstance(own, OwnCertificate) else local_identity(entry, path)

    def derive(self, proposal: IkeProposal, shared: k.Shared) -> k.MainKeys:
        """Keys that prove nobody."""
        return k.derive_signed(proposal, shared)

    def show(self, entry: PadEntry, path: Path, keys: k.MainKeys, said: Said) -> Exchange[Shown]:
        """ID, CERT and SIG; raises Aborted when there is no certificate or no signature."""
        own = self._own(said.asked)
        local = self._called(own, entry, path)
        mine = main_id(local)
        prf = prf_for(self._method, keys.prf)
        octets = keys.proof(said.sa_body, mine.encode(), initiator=said.initiator, prf=prf)
        signature = yield from claims.signature(own, scheme_for(self._method), octets)
        shown = own.chain if isinstance(own, OwnCertificate) else ()
        chain = (CertPayload(X509_SIGNATURE, one) for one in shown)
        return Shown(local, (mine, *chain, SigPayload(signature)))

    def _own(self, asked: Chain) -> OwnCertificate | OwnKey:
        """Ours of an authority that the peer asks for; where there is none, the first, for it may know more."""
        if self._key is not None:
            return self._key
        have = [own for way in self._ways for own in way.own]
        wanted = [each.authority for each in asked.all(CertRequestPayload) if each.authority]
        fitting = (own for own in have if any(same_dn(one, name) for one in own.issuers for name in wanted))
        own = next(fitting, have[0] if have else None)
        if own is None:
            names = " or ".join(way.authority for way in self._ways)
            raise Aborted(Reason.NO_CERTIFICATE, f"this computer has no certificate of {names}")
        return own

    def check(self, keys: k.MainKeys, sa_body: bytes, *, initiator: bool) -> Check:
        """Its sender has the key of the certificate that ``claim`` goes by, and not just of some other one in it."""
        prf, scheme = prf_for(self._method, keys.prf), scheme_for(self._method)

        def check(message: Message) -> None:
            octets = keys.proof(sa_body, message.chain.body(IdPayload), initiator=initiator, prf=prf)
            signature = message.chain.one(SigPayload).data
            self._proven = None
            if rawkeys1.is_meant(message.chain, self._known):
                identity = identity_of(message.chain.one(IdPayload))
                self._proven = rawkeys1.proven(identity, self._known, scheme, octets, signature)
                return
            claims.check_signature(_leaf_first(message.chain)[0], scheme, octets, signature)

        return check

    def claim(self, chain: Chain) -> Claim:
        """What it calls itself, which its certificate has to confirm; raises Aborted."""
        if self._proven is not None:
            return self._proven.claim
        return claims.claim_of(identity_of(chain.one(IdPayload)), _leaf_first(chain))

    def ways(self, entry: PadEntry) -> tuple[Auth, ...]:
        """Those by signatures of this kind."""
        found = signing(entry.auth, self._method)
        known = () if self._proven is None else self._proven.ways
        return tuple(one for one in found if one in known or (not known and isinstance(one, CertificateAuth)))

    def judge(self, claim: Claim, ways: Sequence[Auth]) -> Exchange[Auth]:
        """By the authority that vouches for it, or the policy that knows the key; raises Aborted."""
        if self._proven is not None:
            return next(one for one in self._proven.ways if one in ways)
        return (yield from claims.judge(claim, ways))


def _leaf_first(chain: Chain) -> list[Certificate]:
    """The certificates of a message, the sender's first."""
    return claims.leaf_first(claims.read_shown((one.encoding, one.data) for one in chain.all(CertPayload)))
