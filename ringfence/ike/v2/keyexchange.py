# SPDX-License-Identifier: Apache-2.0
"""Key exchanges inside other exchanges: our half, the peer's, their secret; and the further ones (RFC 9370 §2.2.4).

After CREATE_CHILD_SA each further key exchange has a request of its own. What a responder says ends in a link, by which
the next request names what it goes on with:

    initiator                                       responder
    CREATE_CHILD_SA { …, KE }                    ->
                                                 <- { …, KE, N(ADDITIONAL_KEY_EXCHANGE) }
    IKE_FOLLOWUP_KE { KE, N(ADDITIONAL_KEY_EXCHANGE) } ->
                                                 <- { KE [, N(ADDITIONAL_KEY_EXCHANGE)] }

Between IKE_SA_INIT and IKE_AUTH they go in IKE_INTERMEDIATE (``intermediate``).
"""

from collections.abc import Sequence

from ringfence.crypto import dh
from ringfence.crypto.errors import BadPublicValue
from ringfence.crypto.suites import GROUPS, DhGroup, is_legacy
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.exchange import Env, Exchange, conclude, hear, request
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2.notifies import Answered, Notify, name_of
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import KePayload, NotifyPayload
from ringfence.secret import Secret

LINK_OCTETS = 8


def half_of(group: DhGroup | None, env: Env) -> dh.KeyPair | None:
    """Our half, where there is a group."""
    return None if group is None else dh.generate(group, env.random, legacy=is_legacy(group))


def ke_of(half: dh.KeyPair | None) -> tuple[KePayload, ...]:
    """The payload for it."""
    return () if half is None else (KePayload(half.group.value, half.public),)


def check_group(chain: Chain, group: DhGroup | None) -> None:
    """Raise Refused, naming ours, where the peer's value is of another group than was chosen (§1.3)."""
    theirs = chain.maybe(KePayload)
    if group is not None and (theirs is None or theirs.group != group.value):
        what = "no value" if theirs is None else f"a value of group {theirs.group}"
        number = group.value.to_bytes(2)
        raise Answered(
            Reason.BAD_KEY_EXCHANGE, f"the peer sends {what} where group {group.value} was chosen",
            Notify.INVALID_KE_PAYLOAD, number,
        )  # fmt: skip


def secret_of(half: dh.KeyPair | None, theirs: Chain) -> Secret | None:
    """The secret of both halves; raises Refused."""
    return None if half is None else shared(half, theirs)


def shared(half: dh.KeyPair, theirs: Chain) -> Secret:
    """The secret of both halves, where there is one; raises Refused."""
    payload = _value(theirs, half.group)
    try:
        return half.shared(payload.public)
    except BadPublicValue as error:
        raise _wrong(error) from error


def _value(theirs: Chain, group: DhGroup) -> KePayload:
    payload = theirs.maybe(KePayload)
    if payload is None or payload.group != group.value:
        raise Refused(Reason.BAD_KEY_EXCHANGE, "the peer's Diffie-Hellman value is missing, or of another group")
    return payload


def _wrong(error: BadPublicValue) -> Refused:
    return Refused(Reason.BAD_KEY_EXCHANGE, f"the peer's Diffie-Hellman value is wrong: {error.message}")


def answered(group: DhGroup, theirs: Chain, env: Env) -> tuple[KePayload, Secret]:
    """Our value for a further key exchange that the peer began, and the secret; raises Refused."""
    payload = _value(theirs, group)
    try:
        public, secret = dh.respond(group, payload.public, env.random, legacy=is_legacy(group))
    except BadPublicValue as error:
        raise _wrong(error) from error
    return KePayload(group.value, public), secret


# Further key exchanges ---------------------------------------------------------------------------------------------


def ask_further(groups: Sequence[DhGroup], reply: Chain, env: Env) -> Exchange[tuple[Secret, ...]]:
    """Go on after the peer's answer to CREATE_CHILD_SA; raises Refused."""
    secrets = []
    for group in groups:
        link = link_of(reply)
        if link is None:
            what = f"the peer does not go on with {GROUPS[group].word}, which it has chosen"
            raise Refused(Reason.BAD_KEY_EXCHANGE, what)
        half = dh.generate(group, env.random, legacy=is_legacy(group))
        said = *ke_of(half), NotifyPayload(Notify.ADDITIONAL_KEY_EXCHANGE, link)
        reply = (yield from request(*said, kind=Kind.IKE_FOLLOWUP_KE)).chain
        _check_goes_on(reply)
        secrets.append(shared(half, reply))
    return tuple(secrets)


def _check_goes_on(reply: Chain) -> None:
    if reply.maybe(KePayload) is None:
        refused = next((each.kind for each in reply.all(NotifyPayload) if each.kind < Notify.INITIAL_CONTACT), 0)
        forgotten = refused in (Notify.STATE_NOT_FOUND, Notify.TEMPORARY_FAILURE)
        reason = Reason.COLLISION if forgotten else Reason.PEER_REFUSED
        raise Refused(reason, f"the peer does not go on with the key exchange: {name_of(refused)}")


def link_of(chain: Chain) -> bytes | None:
    """What the next request has to name, if there is to be one."""
    found = (each.data for each in chain.all(NotifyPayload) if each.kind == Notify.ADDITIONAL_KEY_EXCHANGE)
    return next(found, None)


def answer_further(
    groups: Sequence[DhGroup], said: tuple[Payload, ...], env: Env
) -> Exchange[tuple[tuple[Payload, ...], tuple[Secret, ...]]]:
    """Answer CREATE_CHILD_SA with ``said``, and what follows; what to answer last, and the secrets; raises Refused."""
    secrets = []
    for group in groups:
        link = env.random(LINK_OCTETS)
        yield from conclude(*said, NotifyPayload(Notify.ADDITIONAL_KEY_EXCHANGE, link))
        message = yield from hear(Kind.IKE_FOLLOWUP_KE, link)
        value, secret = answered(group, message.chain, env)
        said = (value,)
        secrets.append(secret)
    return said, tuple(secrets)


def unknown_link() -> Answered:
    """A peer goes on with what is not there, or no longer."""
    what = "the peer goes on with a key exchange that we do not have"
    return Answered(Reason.COLLISION, what, Notify.STATE_NOT_FOUND)
