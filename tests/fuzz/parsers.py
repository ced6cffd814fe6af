# SPDX-License-Identifier: Apache-2.0
"""Parsers of IKE and engines that have nothing yet, for ``targets``."""

from contextlib import suppress
from functools import cache

from protocol.pairs import A, B

from ringfence.ike import dispatch
from ringfence.ike.engine import IkeEngine
from ringfence.ike.errors import IkeError
from ringfence.ike.flood import FloodLimits
from ringfence.ike.header import HEADER_OCTETS
from ringfence.ike.payload import Payload, decode_chain, encode_chain
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1 import payloads as v1
from ringfence.ike.v1.channel import open_clear as open_v1
from ringfence.ike.v1.rules import INFORMATIONAL, INFORMATIONAL_IN_CLEAR, MAIN_MODE, QUICK_MODE
from ringfence.ike.v2 import payloads as v2
from ringfence.ike.v2.channel import is_response, is_sealed, words
from ringfence.ike.v2.channel import open_clear as open_v2
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.rules import rule_of
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom
from ringfence.wire import DecodeError

V1_RULES = [
    *(rule for rules in MAIN_MODE.values() for rule in rules),
    *QUICK_MODE,
    INFORMATIONAL,
    INFORMATIONAL_IN_CLEAR,
]


def _payload(kinds: tuple[type[Payload], ...], data: bytes) -> None:
    if not data:
        return
    kind, body = kinds[data[0] % len(kinds)], data[1:]
    try:
        payload = kind.decode(body)
    except (DecodeError, IkeError):
        return
    octets = payload.encode()
    filling = body[len(octets) :] if kind is v1.AttributesPayload else b""
    assert len(octets) + len(filling) == len(body), f"{kind.__name__} is written back in other length"
    assert filling in (b"", b"\0", b"\0\0", b"\0\0\0"), f"{kind.__name__} loses what stood at its end"
    assert kind.decode(octets) == payload


def v1_payload(data: bytes) -> None:
    """The first octet chooses the payload, the rest is its body."""
    _payload(v1.PAYLOADS, data)


def v2_payload(data: bytes) -> None:
    """Likewise."""
    _payload(v2.PAYLOADS, data)


def v1_message(data: bytes) -> None:
    """A message in clear, and every rule it could have to keep."""
    with suppress(IkeError):
        header = dispatch.header_of(data)
        chain = open_v1(header, data)
        first, octets = encode_chain(tuple(chain))
        assert list(decode_chain(first, octets, v1.REGISTRY)) == list(chain)
        for rule in V1_RULES:
            with suppress(IkeError):
                rule.check(chain, encrypted=rule.encrypted)


def v2_message(data: bytes) -> None:
    """Likewise."""
    with suppress(IkeError):
        header = dispatch.header_of(data)
        is_sealed(header, data)
        chain = open_v2(header, data)
        words(chain)
        for kind in Kind:
            for response in (False, True):
                with suppress(IkeError):
                    rule_of(kind, chain, response=response).check(chain, encrypted=kind is not Kind.IKE_SA_INIT)
        is_response(header)


@cache
def _databases(version: int):
    return HostPolicy(A, B, keying=(version,)).compiled()


def stranger(version: int, data: bytes) -> None:
    """Messages of a stranger to an engine that has nothing.

    The first octet says of what length they are, and whether the engine is under load.
    """
    if not data:
        return
    flood = FloodLimits(cookies_from=0 if data[0] & 1 else 50)
    engine = IkeEngine(random=SeededRandom("stranger"), settings=IkeSettings(flood=flood))
    engine.apply(*_databases(version), 0.0)
    size = data[0] * 8 + HEADER_OCTETS
    for at in range(1, len(data), size):
        message = data[at : at + size]
        if len(message) >= HEADER_OCTETS:
            message = message[:24] + len(message).to_bytes(4) + message[HEADER_OCTETS:]
        engine.receive(message, path_between(A, B), float(at))
    engine.tick(10.0)
    engine.tick(1000.0)
    engine.tick(2000.0)
    assert not engine.child_sas()
    assert not engine.ike_sas(), "a stranger's negotiation has no end"
    assert engine.next_timer() is None
