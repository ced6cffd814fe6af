# SPDX-License-Identifier: Apache-2.0
"""Aggressive mode from both sides, message by message."""

from dataclasses import replace

from ringfence.crypto import dh
from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Limits
from ringfence.ike.effects import LogIkeKey
from ringfence.ike.errors import Reason
from ringfence.ike.exchange import Env
from ringfence.ike.v1.aggressive import initiate, of_one_group, respond
from ringfence.ike.v1.identities import main_id
from ringfence.ike.v1.keys import Shared, derive
from ringfence.ike.v1.main_mode import Setting
from ringfence.ike.v1.natt import offered
from ringfence.ike.v1.negotiate import choose_main, offer_main
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import HashPayload, IdPayload, KePayload, NoncePayload, NotifyPayload
from ringfence.ike.v1.vendors import announced
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom
from ringfence.testing.script import INITIATOR_COOKIE, RESPONDER_COOKIE, Script, message

POLICY = HostPolicy("192.0.2.1", "192.0.2.2", aggressive=True)
(OURS,) = POLICY.compiled()[1]
(THEIRS,) = POLICY.mirrored().compiled()[1]
PATH = path_between(POLICY.local, POLICY.remote)
BACK = path_between(POLICY.remote, POLICY.local)
OFFER = offer_main((FAST_MAIN,))
HALF = dh.generate(FAST_MAIN.group, SeededRandom("other side"))
NONCE = NoncePayload(b"the other side's nonce")
ME, PEER = (main_id(Identity.parse(address)) for address in (POLICY.local, POLICY.remote))


def setting(entry, path, *, first_contact=False):
    return Setting(path, (entry,), INITIATOR_COOKIE, RESPONDER_COOKIE, lambda: first_contact)


def drawn():
    """What our side will draw."""
    twin = SeededRandom(1)
    return dh.generate(FAST_MAIN.group, twin), NoncePayload(twin(32))


def keys(ours, nonce, *, we_begin):
    values = [(ours.public, nonce.data), (HALF.public, NONCE.data)]
    (one, one_nonce), (two, two_nonce) = values if we_begin else reversed(values)
    shared = Shared(INITIATOR_COOKIE, RESPONDER_COOKIE, one, two, one_nonce, two_nonce, HALF.shared(ours.public))
    return derive(FAST_MAIN, OURS.auth[0].key, shared)


def begun(**words):
    half, nonce = drawn()
    script = Script(initiate(setting(OURS, PATH, **words), Env(SeededRandom(1))))
    vendors = *announced(first=words.get("first_contact", False)), *offered(serves=True)
    script.asks(OFFER, KePayload(half.public), nonce, ME, *vendors)
    return script, keys(half, nonce, we_begin=True)


def second(proof, *more):
    return choose_main(OFFER, (THEIRS,)).answer, KePayload(HALF.public), NONCE, PEER, proof, *more, *announced()


def test_we_begin():
    script, made = begun(first_contact=True)
    right = HashPayload(made.proof(OFFER.encode(), PEER.encode(), initiator=False))
    script.refuses(Reason.WRONG_KEY, *second(HashPayload(right.data[::-1])))
    script.gets(*second(right)).protects()
    assert script.shield.e == made.e
    assert script.does(LogIkeKey) == LogIkeKey(INITIATOR_COOKIE, made.e)
    proof = HashPayload(made.proof(OFFER.encode(), ME.encode(), initiator=True))
    script.concludes(proof, NotifyPayload)
    assert script.said[1].kind == Notify.INITIAL_CONTACT
    agreed = script.returns()
    assert (agreed.local, agreed.remote) == tuple(map(Identity.parse, (POLICY.local, POLICY.remote)))
    assert not agreed.first_contact


def test_who_answers_with_another_name_is_refused_although_it_has_the_key():
    script, made = begun()
    stranger = IdPayload(1, 0, 0, bytes([192, 0, 2, 99]))
    proof = HashPayload(made.proof(OFFER.encode(), stranger.encode(), initiator=False))
    answer = [stranger if one is PEER else one for one in second(proof)]
    script.gets(*answer).protects()
    script.does(LogIkeKey)
    script.raises(Reason.WRONG_IDENTITY)


def answering(entry=THEIRS, who=ME, **words):
    half, nonce = drawn()
    first = message(OFFER, KePayload(HALF.public), NONCE, who, *announced())
    script = Script(respond(first, setting(entry, BACK, **words), Env(SeededRandom(1))))
    return script, keys(half, nonce, we_begin=False), half, nonce


def test_we_answer():
    script, made, half, nonce = answering()
    script.protects()
    script.does(LogIkeKey)
    proof = HashPayload(made.proof(OFFER.encode(), PEER.encode(), initiator=False))
    script.asks(choose_main(OFFER, (THEIRS,)).answer, KePayload(half.public), nonce, PEER, proof, *announced())
    theirs = HashPayload(made.proof(OFFER.encode(), ME.encode(), initiator=True))
    script.refuses(Reason.WRONG_KEY, HashPayload(theirs.data[::-1]))
    script.refuses(Reason.WRONG_KEY, proof)
    agreed = script.gets(theirs).returns()
    assert (agreed.local, agreed.remote) == tuple(map(Identity.parse, (POLICY.remote, POLICY.local)))


def test_a_rule_that_does_not_say_so_answers_nothing():
    script, *_ = answering(replace(THEIRS, aggressive=False))
    script.raises(Reason.EXCHANGE_TYPE)


def test_a_shorter_life_is_told():
    script, *_ = answering(replace(THEIRS, proposals=(replace(FAST_MAIN, limits=Limits(600)),)))
    script.protects()
    script.does(LogIkeKey)
    script.asks(*[type(one) for one in second(HashPayload(b""))], NotifyPayload)
    assert script.said[-1].kind == Notify.RESPONDER_LIFETIME


def test_those_of_one_group():
    other = replace(FAST_MAIN, group=DhGroup.ECP_256)
    assert of_one_group((FAST_MAIN, other, FAST_MAIN)) == (FAST_MAIN, FAST_MAIN)
