# SPDX-License-Identifier: Apache-2.0
"""IKE_INTERMEDIATE (RFC 9242): what both sides have to say under the first keys before they prove who they are.

    initiator                                       responder
    IKE_SA_INIT { …, N(INTERMEDIATE_EXCHANGE_SUPPORTED) } ->
                                                 <- { …, N(INTERMEDIATE_EXCHANGE_SUPPORTED) }
    IKE_INTERMEDIATE { KE }                      ->
                                                 <- { KE }
    IKE_AUTH …

Each further key exchange (RFC 9370 §2.2.2) is one such exchange; the keys that come of it protect what follows. Nobody
is authenticated yet, so AUTH covers them all: a MAC of each side's messages, one over the other, as if none of them
had been fragmented or encrypted. A postquantum preshared key (``mixing``) goes with the last of them, and makes one
where there would be none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ringfence.crypto.suites import GROUPS, DhGroup
from ringfence.databases.pad import PadEntry, Ppk
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.exchange import Env, Exchange, Message, answer, conclude, hear, perform, protect, request
from ringfence.ike.header import Header
from ringfence.ike.payload import GENERIC_OCTETS, Chain, GenericHeader, Payload, encode_chain
from ringfence.ike.v2 import mixing
from ringfence.ike.v2.channel import Frame
from ringfence.ike.v2.keyexchange import answered, half_of, ke_of, secret_of
from ringfence.ike.v2.keys import IkeKeys, log_of
from ringfence.ike.v2.notifies import Notify, name_of
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import ENCRYPTED, FRAGMENT, KePayload, NotifyPayload
from ringfence.secret import Secret

SUPPORTED = NotifyPayload(Notify.INTERMEDIATE_EXCHANGE_SUPPORTED)


def offered(proposals: Iterable[IkeProposal], *, ppk: bool = False) -> tuple[NotifyPayload, ...]:
    """What an initiator says of it, where it may need it: for key exchanges, or for a postquantum preshared key."""
    return (SUPPORTED,) if ppk or any(each.further for each in proposals) else ()


def granted(proposal: IkeProposal, *, ppk: bool = False) -> tuple[NotifyPayload, ...]:
    """What a responder says of it, where they will do it."""
    return (SUPPORTED,) if ppk or proposal.further else ()


def is_served(chain: Chain) -> bool:
    """Whether the peer can do it."""
    return any(each.kind == Notify.INTERMEDIATE_EXCHANGE_SUPPORTED for each in chain.all(NotifyPayload))


def check_served(proposal: IkeProposal, chain: Chain) -> None:
    """Raise Aborted where a responder chose what it does not serve."""
    if proposal.further and not is_served(chain):
        what = f"the peer takes {proposal}, but does not say that it knows IKE_INTERMEDIATE"
        raise Aborted(Reason.CHANGED_PROPOSAL, what)


# What AUTH covers --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Transcript:
    """The messages of both sides so far (§3.3.2)."""

    _initiator: bytes = b""
    _responder: bytes = b""

    def add(self, keys: IkeKeys, octets: bytes, *, initiator: bool) -> None:
        """A message of that side under these keys, in its plain form."""
        if initiator:
            self._initiator = keys.prf.mac(keys.pi.reveal(), self._initiator + octets)
        else:
            self._responder = keys.prf.mac(keys.pr.reveal(), self._responder + octets)

    def closed(self, message_id: int) -> bytes:
        """What AUTH covers, where IKE_AUTH has that message id; nothing if there were no messages."""
        whole = self._initiator + self._responder
        return whole and whole + message_id.to_bytes(4)


def plain(header: Header, first: int, payloads: bytes) -> bytes:
    """A message as if nothing of it were encrypted, its lengths for just that."""
    generic = GenericHeader(first, GENERIC_OCTETS + len(payloads)).encode()
    return replace(header, next_payload=ENCRYPTED).over(generic + payloads)


def heard(message: Message) -> bytes:
    """The plain form of what came; raises Refused for what has payloads in clear, of which there are none here."""
    if message.header.next_payload not in (ENCRYPTED, FRAGMENT):
        raise Refused(Reason.PAYLOAD_UNEXPECTED, "IKE_INTERMEDIATE with payloads in clear")
    return plain(message.header, message.chain.first, message.chain.octets)


def _said(keys: IkeKeys, number: int, payloads: tuple[Payload, ...], *, initiator: bool) -> bytes:
    spis = keys.ends.initiator_spi, keys.ends.responder_spi
    frame = Frame(spis, Kind.IKE_INTERMEDIATE, number, initiator, response=not initiator)
    first, octets = encode_chain(payloads)
    return plain(frame.header(ENCRYPTED), first, octets)


# The roles ---------------------------------------------------------------------------------------------------------


def _rounds(keys: IkeKeys, *, ppk: bool) -> tuple[DhGroup | None, ...]:
    """The exchanges to do, each with its key exchange; None for the one that is there for a preshared key alone."""
    return keys.proposal.further or ((None,) if ppk else ())


def initiate(keys: IkeKeys, env: Env, ppk: Ppk | None = None) -> Exchange[tuple[IkeKeys, Ppk | None]]:
    """All that was agreed on, one after the other; the keys that come of it, and ``ppk`` if it went into them."""
    transcript, rounds, mixed = Transcript(), _rounds(keys, ppk=ppk is not None), None
    for number, group in enumerate(rounds, 1):
        half = None if group is None else half_of(group, env)
        names = mixing.named(ppk, keys) if ppk is not None and number == len(rounds) else ()
        said = (*(() if half is None else ke_of(half)), *names)
        message = yield from request(*said, kind=Kind.IKE_INTERMEDIATE)
        mixed = ppk if ppk is not None and names and mixing.is_taken(message.chain, ppk) else None
        transcript.add(keys, _said(keys, number, said, initiator=True), initiator=True)
        transcript.add(keys, heard(message), initiator=False)
        if group is not None and half is not None:
            _check_answer(message.chain, GROUPS[group].word)
            keys = keys.joined(secret_of(half, message.chain) or Secret(b""))
        keys = yield from _protected(keys if mixed is None else keys.mixed_whole(mixed.key))
    return replace(keys, transcript=transcript.closed(len(rounds) + 1)), mixed


def _check_answer(chain: Chain, word: str) -> None:
    if chain.maybe(KePayload) is None:
        said = next(
            (name_of(each.kind) for each in chain.all(NotifyPayload) if each.kind < Notify.INITIAL_CONTACT), "nothing"
        )
        raise Aborted(Reason.PEER_REFUSED, f"the peer does not answer the key exchange {word}: {said}")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a responder has before IKE_AUTH."""

    message: Message
    """The first request of that."""
    keys: IkeKeys
    entries: tuple[PadEntry, ...]
    """Those by which such a peer may authenticate."""
    mixed: Ppk | None = None
    """The postquantum preshared key that is in the keys already."""


def respond(
    said: tuple[Payload, ...], keys: IkeKeys, entries: tuple[PadEntry, ...], env: Env, *, ppk: bool = False
) -> Exchange[Heard]:
    """Answer IKE_SA_INIT with ``said``, then all that was agreed on, with ``ppk`` a key besides; raises Aborted."""
    if not (rounds := _rounds(keys, ppk=ppk)):
        return Heard((yield from answer(*said)), keys, entries)
    transcript, mixed = Transcript(), None
    yield from conclude(*said)
    for number, group in enumerate(rounds, 1):
        message = yield from hear(Kind.IKE_INTERMEDIATE)
        chosen = mixing.Chosen(None, entries, ())
        if ppk and number == len(rounds):
            chosen = mixing.choose(message.chain, keys, entries)
        mixed, entries = chosen.ppk, chosen.entries
        value, joined = _answered(group, message, keys, env)
        words = *value, *chosen.words
        transcript.add(keys, heard(message), initiator=True)
        transcript.add(keys, _said(keys, number, words, initiator=False), initiator=False)
        yield from conclude(*words)
        keys = yield from _protected(joined if mixed is None else joined.mixed_whole(mixed.key))
    message = yield from hear(Kind.IKE_AUTH)
    return Heard(message, replace(keys, transcript=transcript.closed(message.header.message_id)), entries, mixed)


def _answered(group: DhGroup | None, message: Message, keys: IkeKeys, env: Env) -> tuple[tuple[Payload, ...], IkeKeys]:
    """Our value of a key exchange, and the keys that come of it; nothing of either where there is none."""
    if group is None:
        return (), keys
    value, secret = answered(group, message.chain, env)
    return (value,), keys.joined(secret)


def _protected(keys: IkeKeys) -> Exchange[IkeKeys]:
    """From here on these keys."""
    yield from protect(keys)
    yield from perform(log_of(keys))
    return keys
