# SPDX-License-Identifier: Apache-2.0
"""Postquantum preshared keys (RFC 8784): a key that both sides know is mixed into those that they negotiate.

    initiator                                       responder
    IKE_SA_INIT { …, N(USE_PPK) }                ->
                                                 <- { …, N(USE_PPK) }
    IKE_AUTH { …, AUTH, N(PPK_IDENTITY) [, N(NO_PPK_AUTH)] } ->
                                                 <- { …, AUTH, N(PPK_IDENTITY) }

Both AUTH are then computed with the mixed keys, so whoever has another key under that name fails as one with a wrong
key does. An initiator that does not insist proves itself a second time, without: a responder that does not know the
name takes that and says no name, unless its policy insists. Where the two say that they know of such keys is covered by
AUTH, so nobody in between can talk them out of it.

The first IKE SA itself is protected by it from its first renewal on, child SAs at once. The form that protects the
first one, too, is said in ``mixing``; this one is for peers that do not know it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ringfence.databases.pad import PadEntry, Ppk
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import AuthPayload, NotifyPayload

FIXED = b"\x02"
"""The type of a name that stays the same (RFC 8784 §5.1)."""

Words = tuple[NotifyPayload, ...]


def _said(chain: Chain, kind: Notify) -> NotifyPayload | None:
    return next((each for each in chain.all(NotifyPayload) if each.kind == kind), None)


def announcement(entries: Sequence[PadEntry], theirs: Chain | None = None) -> Words:
    """What IKE_SA_INIT says of such keys; a responder only to who has said so."""
    having = any(each.ppk is not None for each in entries)
    asked = theirs is None or _said(theirs, Notify.USE_PPK) is not None
    return (NotifyPayload(Notify.USE_PPK),) if having and asked else ()


# The initiator -----------------------------------------------------------------------------------------------------


def agreed(entry: PadEntry, theirs: Chain, *, served: bool = True) -> Ppk | None:
    """The key to use with a peer whose IKE_SA_INIT that is; raises Aborted where the policy insists in vain.

    ``served`` tells whether it can be used with our way to prove ourselves.
    """
    if entry.ppk is None or (served and _said(theirs, Notify.USE_PPK) is not None):
        return entry.ppk
    if entry.ppk.required:
        why = (
            "the peer knows no postquantum preshared keys" if served else "EAP goes without a postquantum preshared key"
        )
        raise Aborted(Reason.NO_PPK, f'{why}, and the policy insists on "{entry.ppk.id}"')
    return None


def named(ppk: Ppk | None, without: AuthPayload | None) -> Words:
    """What goes with our proof; ``without`` is the one that does without the key."""
    if ppk is None:
        return ()
    name = NotifyPayload(Notify.PPK_IDENTITY, FIXED + ppk.id.encode())
    return (name,) if without is None else (name, NotifyPayload(Notify.NO_PPK_AUTH, without.data))


def taken(answer: Chain, ppk: Ppk | None, keys: IkeKeys) -> IkeKeys:
    """The keys that count after the peer's answer; raises Aborted where the policy insists in vain."""
    if ppk is None or _said(answer, Notify.PPK_IDENTITY) is not None:
        return keys if ppk is None else keys.mixed(ppk.key)
    if ppk.required:
        raise Aborted(Reason.NO_PPK, f'the peer does not know the postquantum preshared key "{ppk.id}"')
    return keys


# The responder -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Understood:
    """A request of IKE_AUTH, as its name of a key makes one read it."""

    chain: Chain
    """With the proof that counts."""
    keys: IkeKeys
    entries: tuple[PadEntry, ...]
    """Those by which such a peer may authenticate."""
    words: Words
    """What our answer says of it."""


def understood(chain: Chain, first: Chain, keys: IkeKeys, entries: tuple[PadEntry, ...]) -> Understood:
    """Which keys count with the peer whose IKE_SA_INIT and IKE_AUTH those are; raises Aborted."""
    counts = announcement(entries, first) and chain.maybe(AuthPayload) is not None  # EAP goes without
    name = _said(chain, Notify.PPK_IDENTITY) if counts else None
    found = next((each.ppk for each in entries if each.ppk and name and _is_name(each.ppk, name)), None)
    if found is not None:
        having = tuple(each for each in entries if found.is_same(each.ppk))
        return Understood(chain, keys.mixed(found.key), having, (NotifyPayload(Notify.PPK_IDENTITY),))
    free = tuple(each for each in entries if each.ppk is None or not each.ppk.required)
    if not free:
        raise Aborted(Reason.NO_PPK, f"{_words(name)}, and the policy insists on one that it knows")
    if name is None:
        return Understood(chain, keys, free, ())
    without = _said(chain, Notify.NO_PPK_AUTH)
    if without is None:
        raise Aborted(Reason.NO_PPK, f"{_words(name)}, and insists on it")
    return Understood(_proved_by(chain, without.data), keys, free, ())


def _is_name(ppk: Ppk, name: NotifyPayload) -> bool:
    return name.data == FIXED + ppk.id.encode()


def _words(name: NotifyPayload | None) -> str:
    if name is None:
        return "the peer uses no postquantum preshared key"
    return f'the peer uses the postquantum preshared key "{name.data[1:].decode("utf-8", "replace")}", which is unknown'


def _proved_by(chain: Chain, data: bytes) -> Chain:
    """The same message with another proof."""
    items = tuple(
        Decoded(replace(each.payload, data=data), each.raw) if isinstance(each.payload, AuthPayload) else each
        for each in chain.items
    )
    return replace(chain, items=items)
