# SPDX-License-Identifier: Apache-2.0
"""EAP-MSCHAPv2, the method of Windows' passwords (draft-kamath-pppext-eap-mschapv2-02; RFC 2759).

    authenticator                          peer
    challenge, name                 ->
                                    <-     challenge of its own, proof by both, name
    success: the server's proof     ->
                                    <-     success

or, where the proof is wrong, ``failure`` with its number, and the same back. Each message has an operation, an
identifier of its own and a length.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from ringfence.credentials.eap.errors import BadPacket, Denied
from ringfence.credentials.eap.method import PeerDialogue, Reply, ServerDialogue, Telling
from ringfence.crypto.mschap import (
    CHALLENGE_OCTETS,
    RESPONSE_OCTETS,
    Challenges,
    authenticator_response,
    nt_hash,
    nt_response,
    same_text,
    session_key,
)
from ringfence.secret import Secret

HEADER = struct.Struct(">BBHB")
"""Operation, identifier, length of it all, length of the value."""
SHORT = struct.Struct(">BBH")
VALUE_OCTETS = CHALLENGE_OCTETS + 8 + RESPONSE_OCTETS + 1
"""Of an answer: the peer's challenge, zeros, the proof, flags."""
PROOF_CHARACTERS = 42
WRONG_PASSWORD = 691
ERRORS = {
    646: "the account may not log on at this hour",
    647: "the account is disabled",
    648: "the password has expired",
    649: "the account may not dial in",
    WRONG_PASSWORD: "the password is wrong, or there is no such user",
    709: "the password could not be changed",
}


class Op(IntEnum):
    """What a message says."""

    CHALLENGE = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


@dataclass(frozen=True, slots=True)
class _Said:
    op: int
    identifier: int
    body: bytes


def _read(data: bytes) -> _Said:
    if len(data) < SHORT.size:
        return _Said(data[0] if data else 0, 0, b"")  # the peer's success and failure are one octet
    op, identifier, length = SHORT.unpack_from(data)
    if not SHORT.size <= length <= len(data):
        raise BadPacket("a message of MSCHAPv2 has a wrong length")
    return _Said(op, identifier, data[SHORT.size : length])


def _say(op: Op, identifier: int, value: bytes, rest: bytes) -> bytes:
    return HEADER.pack(op, identifier, HEADER.size + len(value) + len(rest), len(value)) + value + rest


def _valued(said: _Said, op: Op, octets: int) -> tuple[bytes, bytes]:
    """The value and what stands behind it."""
    if said.op != op or not said.body or said.body[0] != octets or len(said.body) <= octets:
        raise BadPacket(f"MSCHAPv2 expects a {op.name.lower()} with {octets} octets")
    return said.body[1 : 1 + octets], said.body[1 + octets :]


def answer(first: bytes, user: bytes, password: Secret, random: Callable[[int], bytes]) -> PeerDialogue:
    """The peer's side."""
    said = _read(first)
    theirs, _ = _valued(said, Op.CHALLENGE, CHALLENGE_OCTETS)
    challenges = Challenges(theirs, random(CHALLENGE_OCTETS), user)
    key = hash_of(password)
    proof = nt_response(challenges, key)
    value = challenges.peer + bytes(8) + proof + b"\0"
    given = _read((yield Reply(_say(Op.RESPONSE, said.identifier, value, user))))
    if given.op == Op.FAILURE:
        yield Reply(bytes((Op.FAILURE,)), refused=_why(given.body))
        return
    wanted = authenticator_response(challenges, key, proof)
    if given.op != Op.SUCCESS or not same_text(given.body[:PROOF_CHARACTERS].decode("ascii", "replace"), wanted):
        raise Denied("the server does not know the password either: its proof is wrong")
    yield Reply(bytes((Op.SUCCESS,)), done=True, key=session_key(key, proof))


def _why(message: bytes) -> str:
    """What a failure's text (``E=691 R=0 …``) means."""
    fields = dict(part.split("=", 1) for part in message.decode("latin-1").split() if "=" in part)
    number = fields.get("E", "")
    known = ERRORS.get(int(number)) if number.isdecimal() and len(number) < 5 else None
    return known or "the server refuses the password"


def ask(password: Secret | None, random: Callable[[int], bytes], name: bytes) -> ServerDialogue:
    """The authenticator's side; ``password`` is None for somebody unknown, who is asked all the same."""
    challenge, number = random(CHALLENGE_OCTETS), random(1)[0]
    said = _read((yield _say(Op.CHALLENGE, number, challenge, name)))
    value, user = _valued(said, Op.RESPONSE, VALUE_OCTETS)
    challenges = Challenges(challenge, value[:CHALLENGE_OCTETS], user)
    proof = value[CHALLENGE_OCTETS + 8 : -1]
    key = hash_of(password or Secret(random(CHALLENGE_OCTETS), exact=True))
    if not same_text(nt_response(challenges, key).hex(), proof.hex()) or password is None:
        text = f"E={WRONG_PASSWORD} R=0 C={random(CHALLENGE_OCTETS).hex().upper()} V=3 M=Access denied"
        yield Telling(_short(Op.FAILURE, number, text), ERRORS[WRONG_PASSWORD])
        raise Denied(ERRORS[WRONG_PASSWORD])
    done = yield _short(Op.SUCCESS, number, f"{authenticator_response(challenges, key, proof)} M=Welcome")
    if _read(done).op != Op.SUCCESS:
        raise Denied("the peer does not take our proof")
    return session_key(key, proof)


def _short(op: Op, number: int, text: str) -> bytes:
    return SHORT.pack(op, number, SHORT.size + len(text)) + text.encode("ascii")


def hash_of(password: Secret) -> Secret:
    """The hash that Windows keeps of a password that is kept as text; raises BadPacket for what is no text."""
    if password.exact:
        return password
    try:
        return nt_hash(password.reveal().decode())
    except UnicodeDecodeError:
        raise BadPacket("the password is not text, which MSCHAPv2 wants") from None
