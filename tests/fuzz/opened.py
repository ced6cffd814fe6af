# SPDX-License-Identifier: Apache-2.0
"""Whole exchanges with the crypto opened up: one message of a life of two hosts says what the fuzzer wants it to say.

The message is bent before it is sealed, so it comes under the right keys, with a right HASH or integrity check, at a
moment when the other side waits for something like it. Only what proves who somebody is stays as it is. Whatever the
message is, nothing may raise, and in the end nothing of it all is left.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from protocol.pairs import POLICY, Pair, assert_nothing_left, pair

from ringfence.crypto.suites import DhGroup
from ringfence.ike.payload import GENERIC_OCTETS, Payload, encode_chain
from ringfence.testing.hosts import AH_SHA256, ESP_CBC, method

HEAD_OCTETS = 3
"""Which message, how it is bent, and where; the rest is what is put in."""
DELETE_MOST = 16
MESSAGES = 24
FIRST_RENEWAL = 10
"""What comes before is sealed in any life, so the rest of that can be shorter."""
POLICIES = {
    1: POLICY.with_(methods=(method(ESP_CBC, AH_SHA256),), pfs=DhGroup.CURVE25519),
    2: POLICY.with_(keying=(2,), pfs=DhGroup.CURVE25519),
}
SEALED_BY = {1: ("ringfence.ike.v1.channel",), 2: ("ringfence.ike.v2.channel", "ringfence.ike.v2.fragment")}
HASHED_IN = ("ringfence.ike.v1.informational", "ringfence.ike.v1.quick_mode", "ringfence.ike.v1.commits")
"""Where a HASH of phase 2 is compared, which a peer can always make right."""

Sealed = tuple[int, bytes]


def bend(first: int, octets: bytes, change: int, place: int, data: bytes) -> Sealed:
    """Another chain of payloads, and the type of its first."""
    at = place * len(octets) // 256
    match change % 4:
        case 0:  # all of it
            return (data[0], data[1:]) if data else (0, b"")
        case 1:  # octets for others
            return first, octets[:at] + data + octets[at + len(data) :]
        case 2:  # some in, some out
            return first, octets[:at] + data + octets[at + change // 4 % DELETE_MOST :]
    kind = data[0] if data else 41  # a payload in front
    body = data[1:]
    return kind, bytes([first, 0]) + (GENERIC_OCTETS + len(body)).to_bytes(2) + body + octets


@contextmanager
def opened(version: int, changed: Callable[[int, Sealed], Sealed]) -> Iterator[list[Sealed]]:
    """Every chain that is sealed goes through ``changed``, with its number; all of them as they were come back."""
    seen: list[Sealed] = []

    def seal(payloads: Sequence[Payload]) -> Sealed:
        seen.append(encode_chain(payloads))
        return changed(len(seen) - 1, seen[-1])

    patches = [patch(f"{module}.encode_chain", seal) for module in SEALED_BY[version]]
    patches += [patch(f"{module}.same", lambda _one, _other: True) for module in HASHED_IN] if version == 1 else []
    for each in patches:
        each.start()
    try:
        yield seen
    finally:
        for each in patches:
            each.stop()


def life(version: int, changed: Callable[[int, Sealed], Sealed], *, renewals: bool = True) -> list[Sealed]:
    """Two hosts agree, renew what they have, child SAs and IKE SA, and part."""
    both = pair(POLICIES[version], seed="opened")
    with opened(version, changed) as seen:
        both.wish(both.a)
        both.run(3)
        if renewals:
            renew(both)
        for host in (both.b, both.a):
            both.network.do(host, host.engine.shut_down(both.network.now))
        both.run(120)
    for host in (both.a, both.b):
        assert_nothing_left(host)
    return seen


def renew(both: Pair) -> None:
    """Both renew their child SAs, and one its IKE SA."""
    for host in (both.a, both.b):
        if (child := host.using()) is not None:
            both.network.do(host, host.engine.rekey_child(child.id, both.network.now, "fuzz"))
        both.run(3)
    renew_ike(both)
    both.run(3)


def renew_ike(both: Pair) -> None:
    """As if the soft limit of an IKE SA were reached."""
    engine = both.a.engine
    engine._world.env.now = both.network.now
    for session in [each for each in engine._sessions if each.usable][:1]:
        engine._pursuit.renew_ike(session)
    both.network.do(both.a, engine._done())


def exchange(version: int, data: bytes) -> None:
    """One input of the fuzzer."""
    if len(data) < HEAD_OCTETS:
        return
    number, change, place = data[0] % MESSAGES, data[1], data[2]

    def changed(count: int, sealed: Sealed) -> Sealed:
        return bend(*sealed, change, place, data[HEAD_OCTETS:]) if count == number else sealed

    life(version, changed, renewals=number >= FIRST_RENEWAL)
