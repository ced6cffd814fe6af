# SPDX-License-Identifier: Apache-2.0
"""Postquantum preshared keys in IKE_INTERMEDIATE (RFC 9867): mixed in before anybody says who he is.

    initiator                                       responder
    IKE_SA_INIT { …, N(USE_PPK_INT) }            ->
                                                 <- { …, N(USE_PPK_INT) }
    IKE_INTERMEDIATE { [KE,] N(PPK_IDENTITY_KEY) } ->
                                                 <- { [KE,] N(PPK_IDENTITY) }
    IKE_AUTH …

So identities, and everything else under the first IKE SA, are protected as well, which the older form (``ppk``) cannot
do; and it goes with EAP, too. Who can do both offers both, and a responder that can do this one takes it alone. The key
is named in the last IKE_INTERMEDIATE, behind all key exchanges, beside a MAC by it that tells one key from another of
the same name before anything is built on it. A responder that does not know the key says no name; whether that will do
is for both policies. AUTH covers IKE_SA_INIT and IKE_INTERMEDIATE, so nobody in between can talk them out of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.crypto.integrity import same
from ringfence.databases.pad import PadEntry, Ppk
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.ike.v2.ppk import FIXED, Words

CONFIRMATION_OCTETS = 8
OFFER: Words = (NotifyPayload(Notify.USE_PPK_INT),)
MOST_NAMES = 32
"""Names of keys that a responder looks up in one message."""


def offered(entries: Iterable[PadEntry]) -> Words:
    """What an initiator says of it in IKE_SA_INIT."""
    return OFFER if any(each.ppk is not None for each in entries) else ()


def granted(entries: Iterable[PadEntry], theirs: Chain, *, intermediate: bool) -> Words:
    """What a responder says of it; ``intermediate`` tells whether the peer can do that exchange."""
    return OFFER if intermediate and is_said(theirs) and offered(entries) else ()


def is_said(chain: Chain) -> bool:
    """Whether the peer can do it."""
    return any(each.kind == Notify.USE_PPK_INT for each in chain.all(NotifyPayload))


def confirmation(ppk: Ppk, keys: IkeKeys) -> bytes:
    """What shows that both mean the same key by its name (§3.1): 8 octets."""
    return keys.prf.mac(ppk.key.reveal(), keys.ends.nonces + keys.ends.spis)[:CONFIRMATION_OCTETS]


# The initiator -----------------------------------------------------------------------------------------------------


def named(ppk: Ppk, keys: IkeKeys) -> Words:
    """What goes with the last IKE_INTERMEDIATE."""
    data = FIXED + ppk.id.encode() + confirmation(ppk, keys)
    return (NotifyPayload(Notify.PPK_IDENTITY_KEY, data),)


def is_taken(answer: Chain, ppk: Ppk) -> bool:
    """Whether the responder has mixed the key in, too; raises Aborted where the policy insists in vain."""
    names = [each.data for each in answer.all(NotifyPayload) if each.kind == Notify.PPK_IDENTITY]
    if names == [FIXED + ppk.id.encode()]:
        return True
    if names:
        raise Aborted(Reason.NO_PPK, "the peer takes a postquantum preshared key that we have not named")
    refused = any(each.kind == Notify.AUTHENTICATION_FAILED for each in answer.all(NotifyPayload))
    if refused or ppk.required:
        raise Aborted(Reason.NO_PPK, f'the peer does not know the postquantum preshared key "{ppk.id}"')
    return False


# The responder -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a responder makes of the names that a peer says."""

    ppk: Ppk | None
    entries: tuple[PadEntry, ...]
    """Those by which such a peer may authenticate."""
    words: Words
    """What the answer says of it."""


def choose(chain: Chain, keys: IkeKeys, entries: Sequence[PadEntry]) -> Chosen:
    """The key that counts with the peer whose last IKE_INTERMEDIATE that is; raises Aborted.

    The peer's names are in its order, and the first that is known, by the same key, counts.
    """
    names = [each.data for each in chain.all(NotifyPayload) if each.kind == Notify.PPK_IDENTITY_KEY][:MOST_NAMES]
    known = [each.ppk for each in entries if each.ppk is not None]
    for data in names:
        name, shown = data[:-CONFIRMATION_OCTETS], data[-CONFIRMATION_OCTETS:]
        for ppk in known:
            if name == FIXED + ppk.id.encode() and same(shown, confirmation(ppk, keys)):
                having = tuple(each for each in entries if ppk.is_same(each.ppk))
                return Chosen(ppk, having, (NotifyPayload(Notify.PPK_IDENTITY, name),))
    free = tuple(each for each in entries if each.ppk is None or not each.ppk.required)
    if not free:
        said = "names no postquantum preshared key that is known here" if names else "uses no postquantum preshared key"
        raise Aborted(Reason.NO_PPK, f"the peer {said}, and the policy insists on one")
    return Chosen(None, free, ())
