# SPDX-License-Identifier: Apache-2.0
"""NULL authentication (RFC 7619): a side that proves nobody, where the policy says that anybody will do.

Its AUTH, made with the keys of the IKE SA, shows only that nobody has changed the first messages whom it did not talk
to itself. So whatever it calls itself means nothing: it is known by the address that it is seen at, as a stranger, and
a stranger is never the same as anybody who has proved a name. Nor may it say that older SAs are void (§2.3).

Where a rule names a peer, or whom it lets in or keeps out, nobody is a stranger.
"""

from ringfence.crypto.integrity import same
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import NullAuth, PadEntry
from ringfence.ike.claims import Claim
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import AuthPayload, IdInitiatorPayload, IdResponderPayload
from ringfence.net.address import Path

NAMELESS = Identity(IdentityKind.NULL, b"")
"""What who proves nothing calls itself."""


def stranger(path: Path) -> Identity:
    """Who somebody is that has proved nothing."""
    return Identity(IdentityKind.NULL, path.remote.address)


def is_nameless(payload: IdInitiatorPayload | IdResponderPayload) -> bool:
    """Whether a peer says no name."""
    return payload.id_type == IdentityKind.NULL.value


def takes_anybody(entry: PadEntry) -> bool:
    """Whether an entry is for who proves nothing, too."""
    named = entry.remote_identity is not None or entry.admissions
    return not named and any(isinstance(one, NullAuth) for one in entry.auth)


def proof(keys: IkeKeys, signed: bytes, *, initiator: bool) -> AuthPayload:
    """Ours, which proves nobody (§2.1)."""
    return AuthPayload(AuthMethod.NULL, keys.proof(keys.pi if initiator else keys.pr, signed))


def claim(path: Path, payload: AuthPayload, keys: IkeKeys, signed: bytes, *, initiator: bool) -> Claim:
    """A stranger; raises Aborted where even the messages are not what both sides have seen."""
    if not same(payload.data, proof(keys, signed, initiator=initiator).data):
        what = "somebody has changed the first messages: the peer's AUTH is not made with the keys of this IKE SA"
        raise Aborted(Reason.WRONG_SIGNATURE, what)
    identity = stranger(path)
    return Claim(identity, (identity,))
