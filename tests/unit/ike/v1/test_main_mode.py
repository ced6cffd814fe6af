# SPDX-License-Identifier: Apache-2.0
"""Main mode from both sides, message by message."""

from dataclasses import replace

import pytest

from ringfence.crypto import dh
from ringfence.crypto.suites import Hash
from ringfence.databases.eap import Users
from ringfence.databases.identity import Identity
from ringfence.databases.pad import PresharedKey, Xauth
from ringfence.ike.effects import LogIkeKey
from ringfence.ike.errors import Reason
from ringfence.ike.exchange import Env
from ringfence.ike.v1.keys import Shared, derive
from ringfence.ike.v1.main_mode import Setting, initiate, refused_in_clear, respond, satisfies
from ringfence.ike.v1.natt import offered
from ringfence.ike.v1.negotiate import choose_main, offer_main
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import (
    HashPayload,
    IdPayload,
    KePayload,
    NoncePayload,
    NotifyPayload,
    SaPayload,
)
from ringfence.ike.v1.vendors import Vendor, announced
from ringfence.secret import Secret
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom
from ringfence.testing.script import INITIATOR_COOKIE, RESPONDER_COOKIE, Script, message

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
(OURS,) = POLICY.compiled()[1]
(THEIRS,) = POLICY.mirrored().compiled()[1]
PATH = path_between(POLICY.local, POLICY.remote)
BACK = path_between(POLICY.remote, POLICY.local)
OFFER = offer_main((FAST_MAIN,))
HALF = dh.generate(FAST_MAIN.group, SeededRandom("other side"))
NONCE = NoncePayload(b"the other side's nonce")
NAT_T = offered(serves=True)


def setting(entry=OURS, *, first_contact=False, path=PATH):
    return Setting(path, (entry,), INITIATOR_COOKIE, RESPONDER_COOKIE, lambda: first_contact)


def begun(entry=OURS, *, first_contact=False):
    """Our side has begun, and the other side knows the keys."""
    twin = SeededRandom(1)  # draws what the exchange will draw
    half, nonce = dh.generate(FAST_MAIN.group, twin), NoncePayload(twin(32))
    script = Script(initiate(setting(entry, first_contact=first_contact), Env(SeededRandom(1))))
    script.asks(OFFER, *announced(first=first_contact), *NAT_T).gets(choose_main(OFFER, (THEIRS,)).answer, *announced())
    script.asks(KePayload(half.public), nonce).gets(KePayload(HALF.public), NONCE)
    script.protects()
    shared = Shared(
        INITIATOR_COOKIE, RESPONDER_COOKIE, half.public, HALF.public, nonce.data, NONCE.data, HALF.shared(half.public)
    )
    return script, derive(FAST_MAIN, OURS.auth[0].key, shared)


def identity(address):
    return IdPayload(1, 0, 0, address)


def test_we_begin():
    script, keys = begun()
    assert script.shield.e == keys.e
    assert script.does(LogIkeKey) == LogIkeKey(INITIATOR_COOKIE, keys.e)
    mine, theirs = identity(PATH.local.address), identity(PATH.remote.address)
    proof = HashPayload(keys.proof(OFFER.encode(), mine.encode(), initiator=True))
    answer = HashPayload(keys.proof(OFFER.encode(), theirs.encode(), initiator=False))
    script.asks(mine, proof).refuses(Reason.WRONG_KEY, theirs, HashPayload(answer.data[::-1]))
    agreed = script.gets(theirs, answer).returns()
    assert agreed.proposal == FAST_MAIN
    assert (agreed.local, agreed.remote) == tuple(map(Identity.parse, (POLICY.local, POLICY.remote)))
    assert agreed.vendors == {Vendor.RINGFENCE, Vendor.DPD, Vendor.FRAGMENTATION}
    assert not agreed.first_contact


def test_first_contact_is_said_and_heard():
    script, keys = begun(first_contact=True)
    script.does(LogIkeKey)
    script.asks(IdPayload, HashPayload, NotifyPayload)
    assert script.said[2].kind == Notify.INITIAL_CONTACT
    assert script.said[2].spi == INITIATOR_COOKIE + RESPONDER_COOKIE
    theirs = identity(PATH.remote.address)
    answer = HashPayload(keys.proof(OFFER.encode(), theirs.encode(), initiator=False))
    assert script.gets(theirs, answer, NotifyPayload(1, 1, b"", Notify.INITIAL_CONTACT)).returns().first_contact


def test_a_changed_proposal_is_no_answer():
    script = Script(initiate(setting(), Env(SeededRandom(1)))).asks(SaPayload, *announced(), *NAT_T)
    other = offer_main((FAST_MAIN.__class__(FAST_MAIN.cipher, Hash.SHA1, FAST_MAIN.group),))
    script.refuses(Reason.CHANGED_PROPOSAL, other).gets(choose_main(OFFER, (THEIRS,)).answer)
    script.asks(KePayload, NoncePayload)


def test_a_bad_key_exchange_ends_it():
    script = Script(initiate(setting(), Env(SeededRandom(1)))).asks(SaPayload, *announced(), *NAT_T)
    script.gets(choose_main(OFFER, (THEIRS,)).answer).asks(KePayload, NoncePayload)
    error = script.gets(KePayload(b"short"), NONCE).raises(Reason.BAD_KEY_EXCHANGE)
    assert "32 octets" in error.detail


def test_the_right_key_in_the_wrong_hands():
    script, keys = begun()
    script.does(LogIkeKey)
    stranger = identity(bytes([192, 0, 2, 99]))
    answer = HashPayload(keys.proof(OFFER.encode(), stranger.encode(), initiator=False))
    script.asks(IdPayload, HashPayload).gets(stranger, answer)
    error = script.raises(Reason.WRONG_IDENTITY)
    assert error.detail == "the peer has the right key but is 192.0.2.99, not 192.0.2.2"


def test_we_answer():
    first = message(OFFER)
    script = Script(respond(first, setting(THEIRS, first_contact=True, path=BACK), Env(SeededRandom(1))))
    script.answers(choose_main(OFFER, (THEIRS,)).answer, *announced())
    script.gets(KePayload(HALF.public), NONCE, *announced()).protects()
    keys = script.shield
    assert script.does(LogIkeKey).key == keys.e
    assert keys.shared.secret == HALF.shared(keys.shared.responder_public)
    script.answers(KePayload(keys.shared.responder_public), NoncePayload(keys.shared.responder_nonce))
    theirs = identity(PATH.local.address)
    proof = HashPayload(keys.proof(OFFER.encode(), theirs.encode(), initiator=True))
    script.refuses(Reason.WRONG_KEY, identity(bytes(4)), proof).gets(theirs, proof)
    mine = identity(PATH.remote.address)
    script.concludes(mine, HashPayload(keys.proof(OFFER.encode(), mine.encode(), initiator=False)), NotifyPayload)
    agreed = script.returns()
    assert agreed.remote == Identity.parse(POLICY.local)
    assert agreed.vendors == {Vendor.RINGFENCE, Vendor.DPD, Vendor.FRAGMENTATION}


def answered_by(remote, *entries):
    """Who a responder takes a peer for, that has the key and says it is ``remote``."""
    start = Setting(BACK, entries, INITIATOR_COOKIE, RESPONDER_COOKIE, lambda: False)
    script = Script(respond(message(OFFER), start, Env(SeededRandom(1)))).answers(SaPayload, *announced())
    script.gets(KePayload(HALF.public), NONCE).protects()
    script.does(LogIkeKey)
    proof = HashPayload(script.shield.proof(OFFER.encode(), remote.encode(), initiator=True))
    return script.answers(KePayload, NoncePayload).gets(remote, proof)


def test_of_several_entries_with_one_key_the_identity_decides():
    from dataclasses import replace

    named = replace(THEIRS, name="named", remote_identity=Identity.parse("host.example"))
    other = replace(named, name="other", auth=(PresharedKey(Secret(b"other")),))
    who = IdPayload(2, 0, 0, b"HOST.example")
    script = answered_by(who, THEIRS, other, named).concludes(IdPayload, HashPayload)
    assert script.returns().entry is named
    answered_by(who, THEIRS, other).raises(Reason.WRONG_IDENTITY)


def test_no_proposal_no_key_no_identity():
    combined = HostPolicy("192.0.2.2", "192.0.2.1", main=(FAST_MAIN.__class__(
        FAST_MAIN.cipher, Hash.SHA1, FAST_MAIN.group),)).compiled()[1]  # fmt: skip
    Script(respond(message(OFFER), setting(*combined), Env(SeededRandom(1)))).raises(Reason.NO_PROPOSAL)
    answered_by(IdPayload(7, 0, 0, bytes(8)), THEIRS).raises(Reason.WRONG_IDENTITY)


def test_what_a_notify_in_clear_hints_at():
    assert refused_in_clear(Notify.AUTHENTICATION_FAILED, 5).reason is Reason.WRONG_KEY
    assert refused_in_clear(Notify.AUTHENTICATION_FAILED, 3).reason is Reason.PEER_REFUSED
    assert refused_in_clear(Notify.NO_PROPOSAL_CHOSEN, 5).detail == "the peer refuses: NO-PROPOSAL-CHOSEN"


@pytest.mark.parametrize(
    ("change", "serves"),
    [
        ({}, True),
        ({"key": b"another"}, False),
        ({"remote_identity": Identity.parse("host.example")}, False),
        ({"local_identity": Identity.parse("host.example")}, False),
        ({"remote_identity": Identity.parse("192.0.2.2")}, True),
        ({"main": (FAST_MAIN.__class__(FAST_MAIN.cipher, Hash.SHA1, FAST_MAIN.group),)}, False),
        ({"remote": "198.51.100.1"}, False),
        ({"keying": (2,)}, False),
        ({"keying": (2, 1)}, True),
    ],
)
def test_what_else_a_peer_has_proved(change, serves):
    script, keys = begun()
    script.does(LogIkeKey)
    theirs = identity(PATH.remote.address)
    answer = HashPayload(keys.proof(OFFER.encode(), theirs.encode(), initiator=False))
    agreed = script.asks(IdPayload, HashPayload).gets(theirs, answer).returns()
    (entry,) = POLICY.with_(**change).compiled()[1]
    assert satisfies(agreed, entry, PATH) is serves
    users = Xauth(users=Users("users.toml"))
    assert not satisfies(agreed, replace(entry, xauth=users), PATH)
    passed = replace(agreed, entry=replace(agreed.entry, xauth=users))
    assert satisfies(passed, replace(entry, xauth=users), PATH) is serves
    assert satisfies(passed, entry, PATH) is serves
    assert not satisfies(passed, replace(entry, xauth=Xauth(users=Users("others.toml"))), PATH)
