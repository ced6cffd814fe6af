# SPDX-License-Identifier: Apache-2.0
"""AUTH payloads (RFC 7296 §2.15): whether a peer proves what the policy wants, and which entry it means."""

from collections.abc import Sequence

from ringfence.crypto.integrity import same
from ringfence.databases.identity import Identity
from ringfence.databases.pad import PadEntry
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.errors import Aborted, IkeError, Reason
from ringfence.ike.identities import local_identity, same_identity
from ringfence.ike.payload import Chain
from ringfence.ike.v2.child import refusal
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.notifies import Notify, name_of
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import AuthPayload, IdInitiatorPayload, IdResponderPayload
from ringfence.ike.v2.peers import (
    check_identity,
    identity_of,
    is_wanted,
    same_algorithms,
    shared_key,
)
from ringfence.net.address import Path
from ringfence.secret import Secret


def key_of(entry: PadEntry) -> Secret:
    """The key that both sides prove; raises Aborted where the entry has none."""
    found = shared_key(entry)
    if found is None:
        raise Aborted(Reason.NO_POLICY, f'"{entry.name}" has no preshared key, and IKEv2 knows nothing else yet')
    return found.key


def proof(keys: IkeKeys, entry: PadEntry, signed: bytes) -> AuthPayload:
    """What proves that we know the entry's key."""
    return AuthPayload(AuthMethod.SHARED_KEY, keys.proof(key_of(entry), signed))


def _is_proof(chain: Chain, keys: IkeKeys, entry: PadEntry, signed: bytes) -> bool:
    payload = chain.one(AuthPayload)
    return payload.method == AuthMethod.SHARED_KEY and same(payload.data, keys.proof(key_of(entry), signed))


def check_proof(chain: Chain, keys: IkeKeys, entry: PadEntry, signed: bytes) -> None:
    """Raise Aborted unless the peer has proved that it knows the entry's key."""
    method = chain.one(AuthPayload).method
    if method != AuthMethod.SHARED_KEY:
        raise Aborted(Reason.WRONG_KEY, f"the peer proves itself by method {method:d}, the policy wants a shared key")
    if not _is_proof(chain, keys, entry, signed):
        raise Aborted(Reason.WRONG_KEY, "the peer has another pre-shared key: the proof in its answer is wrong")


def refused_proof(chain: Chain) -> IkeError:
    """What a peer means that answers IKE_AUTH without a proof of its own."""
    refused = refusal(chain)
    if refused is not None and refused.kind == Notify.AUTHENTICATION_FAILED:
        what = "the peer has another pre-shared key, or knows us by another name: it answers AUTHENTICATION_FAILED"
        return Aborted(Reason.WRONG_KEY, what)
    name = "nothing" if refused is None else name_of(refused.kind)
    return Aborted(Reason.PEER_REFUSED, f"the peer refuses to authenticate: {name}")


def entry_for(
    chain: Chain, remote: Identity, keys: IkeKeys, first: bytes, entries: Sequence[PadEntry], path: Path, *, inner: bool
) -> PadEntry:
    """The entry that the peer has authenticated by; raises Aborted.

    Those come first that are for this identity and have the name that the peer wants to speak to. A key that fits only
    an entry for somebody else tells that.
    """
    if chain.maybe(AuthPayload) is None:
        raise Aborted(Reason.WRONG_KEY, "the peer wants to authenticate by EAP, which the policy does not name")
    signed = keys.signed(first, chain.one(IdInitiatorPayload).encode(), initiator=True)
    wanted = chain.maybe(IdResponderPayload)
    entries = [each for each in entries if shared_key(each) is not None and _proposes(each, keys.proposal)]
    named = [each for each in entries if _is_called(each, wanted, path)] or entries
    fitting = [each for each in named if is_wanted(each, remote, path, inner=inner)]
    for entry in (*fitting, *named):
        if _is_proof(chain, keys, entry, signed):
            check_identity(entry, remote, path, inner=inner)
            return entry
    if not entries:
        raise Aborted(Reason.NO_POLICY, "no rule for this peer has a way to authenticate")
    check_proof(chain, keys, (*fitting, *named)[0], signed)
    raise Aborted(Reason.WRONG_KEY, "the peer has another pre-shared key")


def _is_called(entry: PadEntry, wanted: IdResponderPayload | None, path: Path) -> bool:
    return wanted is None or same_identity(local_identity(entry, path), identity_of(wanted))


def _proposes(entry: PadEntry, proposal: IkeProposal) -> bool:
    return any(same_algorithms(each, proposal) for each in entry.proposals)
