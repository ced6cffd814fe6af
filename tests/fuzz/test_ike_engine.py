# SPDX-License-Identifier: Apache-2.0
"""Hostile messages into whole IKE engines, before, amid and after a negotiation.

Nothing raises. Whoever does not know the keys makes no contract and ends none; what is encrypted cannot be spoilt from
outside, and what is in clear is at worst a negotiation that has to be begun again. In the end nothing of it all is
kept.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol.pairs import POLICY, A, B, Pair, assert_nothing_left, assert_one_pair, pair

from ringfence.crypto.suites import DhGroup
from ringfence.ike.effects import AcquireFailed, LogIkeKey, Report, SendMessage
from ringfence.ike.header import HEADER_OCTETS, NO_COOKIE, VERSION_1, Exchange, Flags, Header
from ringfence.ike.payload import encode_chain
from ringfence.ike.v1.payloads import DeletePayload, HashPayload, KePayload, NoncePayload, NotifyPayload, VendorPayload
from ringfence.net.address import Path
from ringfence.testing.hosts import AH_SHA256, ESP_CBC, method
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

some = settings(max_examples=50, deadline=None)
few = settings(max_examples=15, deadline=None)

RICH = POLICY.with_(methods=(method(ESP_CBC, AH_SHA256),), pfs=DhGroup.CURVE25519)


def genuine() -> list[tuple[Path, bytes]]:
    """A negotiation and its end, message by message, with the sender's path."""
    both = pair(RICH)
    both.wish(both.a)
    both.run(2)
    both.network.do(both.a, both.a.engine.shut_down(both.network.now))
    both.run(1)
    return [(path, datagram) for _, path, datagram in both.network.seen]


GENUINE = genuine()
QUICK = 6
"""Where quick mode begins."""
END = 9
"""Where the deletes do."""

changes = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "insert", "flip"]), st.integers(0, 600), st.binary(min_size=1, max_size=4)
    ),
    min_size=1,
    max_size=3,
)


def bend(datagram: bytes, edits, *, front: int = 0, right_length: bool = True) -> bytes:
    """Another message than ``datagram``, the same up to ``front``; its length usually told rightly."""
    octets = bytearray(datagram)
    for edit, place, data in edits:
        at = front + place % max(1, len(octets) - front)
        match edit:
            case "set":
                octets[at : at + len(data)] = data
            case "flip" if at < len(octets):
                octets[at] ^= 1 << data[0] % 8
            case "cut":
                del octets[at : at + 8 * len(data)]
            case "insert":
                octets[at:at] = data * 4
    if right_length and len(octets) >= HEADER_OCTETS:
        octets[24:28] = len(octets).to_bytes(4)
    return bytes(octets)


def check_refused(effects) -> None:
    """A stranger's message leads to answers and reports at most."""
    for effect in effects:
        assert isinstance(effect, SendMessage | Report | LogIkeKey | AcquireFailed), effect


def settle(both: Pair) -> None:
    """Both hosts stop; of what strangers began nothing is left, without being told."""
    for host in (both.a, both.b):
        both.network.do(host, host.engine.shut_down(both.network.now))
    both.run(120)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


@some
@given(st.lists(st.binary(max_size=120), max_size=6), st.booleans())
def test_random_octets(octets, headed):
    both = pair(POLICY)
    for one in octets:
        if headed:
            one = Header(b"initiate", NO_COOKIE, 1, VERSION_1, Exchange.MAIN, Flags(0), 0).over(one)
        check_refused(both.b.engine.receive(one, path_between(B, A), 0.0))
    both.run(120)
    assert_nothing_left(both.b)


@some
@given(st.data())
def test_every_first_message_bent(data):
    """A responder that knows nothing: bent first messages, and all the others that belong to nobody."""
    both = pair(RICH)
    for _ in range(6):
        path, datagram = data.draw(st.sampled_from(GENUINE))
        datagram = bend(datagram, data.draw(changes), right_length=data.draw(st.booleans()))
        check_refused(both.b.engine.receive(datagram, Path(path.remote, path.local), 0.0))
    assert both.b.engine.child_sas() == ()
    both.run(120)
    assert_nothing_left(both.b)


@pytest.mark.parametrize("at", range(len(GENUINE)))
@few
@given(data=st.data())
def test_bent_messages_amid_a_negotiation(at, data):
    """Before each message bent copies of it arrive, as if by somebody on the path who can be quicker.

    What is authenticated as a whole, which in IKEv1 begins with quick mode, goes on as if nothing had been. Before, a
    negotiation may be misled; then nothing comes of it, and the next one is as good as new.
    """
    both = pair(RICH)

    def passes(datagram: bytes, path: Path) -> bool:
        if len(both.network.seen) == at + 1:
            for _ in range(3):
                bent = bend(datagram, data.draw(changes), front=data.draw(st.sampled_from([0, 16, 28])))
                if bent != datagram and (at < QUICK or len(bent) <= len(datagram)):
                    both.network.inject(bent, path)
        return True

    both.network.passes = passes
    both.wish(both.a)
    both.run(1)
    if at >= QUICK:
        assert_one_pair(both)
    both.run(60)
    if both.a.using() is None:
        both.wish(both.a)
        both.run(10)
    assert_one_pair(both)
    settle(both)


def forged(message: str, cookies: tuple[bytes, bytes], number: int) -> bytes:
    """Messages that say something evil, encrypted by nobody or with a key that nobody has."""
    both = cookies[0] + cookies[1]
    exchange, flags, payloads = {
        "delete in clear": (Exchange.INFORMATIONAL, Flags(0), [DeletePayload(1, 1, (both,))]),
        "delete with a hash in clear": (
            Exchange.INFORMATIONAL, Flags(0), [HashPayload(bytes(32)), DeletePayload(1, 1, (both,))],
        ),
        "initial contact in clear": (Exchange.INFORMATIONAL, Flags(0), [NotifyPayload(1, 1, both, 24578)]),
        "an error in clear": (Exchange.INFORMATIONAL, Flags(0), [NotifyPayload(1, 1, both, 14)]),
        "authentication failed in clear": (Exchange.INFORMATIONAL, Flags(0), [NotifyPayload(1, 1, both, 24)]),
        "an invalid spi in clear": (Exchange.INFORMATIONAL, Flags(0), [NotifyPayload(1, 3, b"abcd", 11)]),
        "an encrypted delete": (Exchange.INFORMATIONAL, Flags.ENCRYPTED, [HashPayload(bytes(32)), VendorPayload(b"")]),
        "a quick mode": (Exchange.QUICK, Flags.ENCRYPTED, [HashPayload(bytes(32)), NoncePayload(bytes(24))]),
        "a quick mode in clear": (Exchange.QUICK, Flags(0), [HashPayload(bytes(32)), NoncePayload(bytes(32))]),
        "a main mode message": (Exchange.MAIN, Flags(0), [KePayload(bytes(32)), NoncePayload(bytes(32))]),
        "an end of main mode": (Exchange.MAIN, Flags.ENCRYPTED, [HashPayload(bytes(60))]),
        "a transaction": (Exchange.TRANSACTION, Flags.ENCRYPTED, [HashPayload(bytes(60))]),
        "an aggressive mode": (Exchange.AGGRESSIVE, Flags(0), [KePayload(bytes(32))]),
    }[message]  # fmt: skip
    first, body = encode_chain(payloads)
    return Header(*cookies, first, VERSION_1, exchange, flags, number).over(body)


EVIL = [
    "delete in clear", "delete with a hash in clear", "initial contact in clear", "an error in clear",
    "authentication failed in clear", "an invalid spi in clear", "an encrypted delete", "a quick mode",
    "a quick mode in clear", "a main mode message", "an end of main mode", "a transaction", "an aggressive mode",
]  # fmt: skip


@pytest.mark.parametrize("message", EVIL)
@pytest.mark.parametrize("known", [True, False], ids=["cookies known", "cookies guessed"])
def test_forged_messages_end_nothing(message, known):
    both = pair(RICH)
    both.wish(both.a)
    both.run(10)
    before = assert_one_pair(both)
    cookies = b"somebody", b"whatever"
    if known:
        (info,) = both.a.engine.ike_sas()
        cookies = info.initiator_cookie, info.responder_cookie
    for number in (0, 7, 0xFFFFFFFF):
        for path in (path_between(A, B), path_between(B, A)):
            both.network.inject(forged(message, cookies, number), path)
    both.run(60)
    assert assert_one_pair(both) == before
    for host in (both.a, both.b):  # at worst it made each side look whether the other is still there
        assert len(host.engine.ike_sas()) <= 2
    settle(both)


@some
@given(st.lists(st.tuples(st.integers(0, END - 1), changes), min_size=1, max_size=8))
def test_bent_messages_after_a_negotiation(picks):
    """The same seed gives the same keys: so these are messages of this very IKE SA, bent.

    Deletes are not among them: where only its header is bent, which nothing protects, one of those is still true.
    """
    both = pair(RICH)
    both.wish(both.a)
    both.run(10)
    before = assert_one_pair(both)
    for pick, edits in picks:
        path, datagram = GENUINE[pick]
        bent = bend(datagram, edits)
        if bent not in (each for _, each in GENUINE):
            both.network.inject(bent, path)
    both.run(60)
    assert assert_one_pair(both) == before
    settle(both)


def test_old_messages_say_nothing_new():
    """All messages of a negotiation once more, in order and backwards: no contract comes of it, none goes."""
    both = pair(RICH)
    both.wish(both.a)
    both.run(10)
    before = assert_one_pair(both)
    seen = [(path, datagram) for _, path, datagram in both.network.seen]
    for path, datagram in seen + seen[::-1]:
        both.network.inject(datagram, path)
    both.run(60)
    assert assert_one_pair(both) == before
    settle(both)


def test_a_flood_of_strangers_has_an_end():
    """First messages from everywhere and nowhere: the engine keeps so many, and forgets them."""
    both = pair(RICH)
    first, random = GENUINE[0][1], SeededRandom("flood")
    for number in range(3000):
        message = random(8) + first[8:]
        check_refused(both.b.engine.receive(message, path_between(B, A), number / 1000))
    assert len(both.b.engine.ike_sas()) <= 35
    both.run(120)
    assert_nothing_left(both.b)
