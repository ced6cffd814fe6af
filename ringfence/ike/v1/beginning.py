# SPDX-License-Identifier: Apache-2.0
"""How an IKE SA of IKEv1 begins: by main mode, or by aggressive mode where the policy says so (RFC 2409 §5)."""

from ringfence.ike.errors import IkeError, Reason
from ringfence.ike.exchange import Env, Exchange, Message, Stepper
from ringfence.ike.header import Exchange as Kind
from ringfence.ike.header import Header
from ringfence.ike.rules import Role
from ringfence.ike.v1 import aggressive, main_mode
from ringfence.ike.v1.authentication import Authentication, machine
from ringfence.ike.v1.channel import open_clear
from ringfence.ike.v1.main_mode import Agreed, Setting
from ringfence.ike.v1.rules import FIRST_MODES, Proof
from ringfence.ike.v1.running import Running
from ringfence.ike.window import Patience

PROOFS = {Kind.MAIN: main_mode.PROOF, Kind.AGGRESSIVE: aggressive.PROOF}
"""The message in which the initiator proves who it is."""


def begin(setting: Setting, env: Env, patience: Patience) -> Running[Agreed]:
    """Begin, as the policy says."""
    (entry,) = setting.entries
    if not entry.aggressive:
        return _running(Kind.MAIN, Role.INITIATOR, main_mode.initiate(setting, env), patience)
    exchange = aggressive.initiate(setting, env)
    return _running(Kind.AGGRESSIVE, Role.INITIATOR, exchange, patience, _proof(setting))


def answer(
    header: Header, datagram: bytes, setting: Setting, env: Env, patience: Patience
) -> tuple[Running[Agreed], Message]:
    """Answer a first message; raises IkeError for what is none."""
    chain = open_clear(header, datagram)
    kind = Kind(header.exchange)
    FIRST_MODES[kind][Proof.HASH][0].check(chain, encrypted=header.encrypted)
    message = Message(header, chain)
    respond = main_mode.respond if kind is Kind.MAIN else aggressive.respond
    return _running(kind, Role.RESPONDER, respond(message, setting, env), patience), message


def _proof(setting: Setting) -> Proof:
    """What the answer to our aggressive mode has."""
    try:
        method, _ = aggressive.way(setting.entries[0])
    except IkeError:
        return Proof.HASH  # it says so when it begins
    return Proof.HASH if machine(method) is Authentication.PRESHARED_KEY else Proof.SIGNATURE


def _running(
    kind: Kind, role: Role, exchange: Exchange[Agreed], patience: Patience, proof: Proof = Proof.HASH
) -> Running[Agreed]:
    return Running(kind, role, 0, Stepper(exchange), FIRST_MODES[kind][proof], patience)


def retractable(running: Running[Agreed] | None) -> bool:
    """Whether it is one of ours without which the peer has nothing: we have not proved yet who we are."""
    return running is not None and running.initiator and running.number < PROOFS[running.kind]


def unreadable(running: Running[Agreed], header: Header, error: IkeError) -> IkeError:
    """What it means that a message of the peer fails with ``error``: with another key nothing can be read."""
    behind = running.number + 1 >= running.first_encrypted
    if behind and header.encrypted and not running.signed and error.reason is not Reason.WRONG_KEY:
        return main_mode.wrong_key(f"{running.name} message {running.number + 1} cannot be read")
    return error


def refused(running: Running[Agreed], kind: int) -> IkeError:
    """What a notify in clear hints at."""
    return main_mode.refused_in_clear(kind, running.number, running.first_encrypted, signed=running.signed)
