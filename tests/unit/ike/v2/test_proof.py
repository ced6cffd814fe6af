# SPDX-License-Identifier: Apache-2.0
"""Which entry a peer has proved to be for, and how we prove ourselves."""

from dataclasses import replace

import pytest
from lab.authority import authority
from unit.ike.v2.test_keys import ENDS, SECRET

from ringfence.crypto.signature import KeyKind, PrivateKey
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.identity import Identity
from ringfence.databases.pad import PresharedKey
from ringfence.ike.effects import Sign, Signed, Trusted
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Consult, Finished, Stepper
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.certificates import requests
from ringfence.ike.v2.keys import derive
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import AuthPayload, NotifyPayload
from ringfence.ike.v2.peers import initiator_id, responder_id
from ringfence.ike.v2.proof import (
    Disbelieved,
    Said,
    answering_ways,
    first_words,
    judge_initiator,
    judge_responder,
    own_for,
    own_name,
    own_way,
    prove,
    proves,
    refused_proof,
    taken_from,
)
from ringfence.secret import Secret
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between

(ENTRY,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
KEYS = derive(FAST_MAIN, SECRET, ENDS)
PATH = path_between("192.0.2.1", "192.0.2.2")
ALICE, BOB, ME = (Identity.parse(f"{name}.example") for name in ("alice", "bob", "me"))
KEY = PresharedKey(Secret(b"a"))
HASHES = frozenset((2, 3, 4, 5))

ROOT, OTHER = authority(), authority("CN=Other CA")
ISSUED = ROOT.issue("CN=alice", names=("alice.example",))
OWN = OwnCertificate("own", (ISSUED.der,))
ELSE = OwnCertificate("else", (OTHER.issue("CN=me", names=("me.example",)).der,))
WAY = CertificateAuth("CN=Lab CA,O=Lab", KeyKind.P256, (ROOT.der,), (OWN,))
ASIDE = CertificateAuth("CN=Other CA", KeyKind.P256, (OTHER.der,), (ELSE,))


def entry(name, identity, *auth, **changes):
    return replace(ENTRY, name=name, remote_identity=identity, auth=auth, **changes)


FIRST = entry("alice", ALICE, KEY, local_identity=ME)
SECOND = entry("bob", BOB, PresharedKey(Secret(b"b")))
BY_NAME = entry("certified", ALICE, WAY)


def chain(*payloads):
    return Chain(tuple(Decoded(payload, b"") for payload in payloads))


def run(exchange, way=None):
    """What an exchange comes to, with a host that signs by ``ISSUED`` and trusts by ``way``."""
    stepper = Stepper(exchange)
    command = stepper.step()
    while not isinstance(command, Finished):
        assert isinstance(command, Consult)
        question = command.question
        if isinstance(question, Sign):
            answer = Signed(PrivateKey(ISSUED.key).sign(question.scheme, question.octets))
        else:
            assert way in question.ways
            answer = Trusted(way)
        command = stepper.step(answer)
    return command.result


def said(identity, own, *more, initiator=True):
    mine = initiator_id(identity)
    signed = KEYS.signed(b"first", mine.encode(), initiator=initiator)
    shown = run(prove(own, KEYS, signed, HASHES, sha1=False))
    return Said(chain(mine, *shown, *more), identity, signed, HASHES, PATH, inner=False)


def found(message, *entries, way=None):
    return run(judge_initiator(message, KEYS, entries), way)[0]


def refused(message, *entries):
    with pytest.raises(Aborted) as raised:
        found(message, *entries)
    return raised.value.reason


def test_the_identity_says_which_entry():
    assert found(said(ALICE, KEY), SECOND, FIRST) is FIRST
    assert found(said(BOB, SECOND.auth[0]), FIRST, SECOND) is SECOND
    assert found(said(ALICE, OWN), FIRST, BY_NAME, way=WAY) is BY_NAME


def test_a_key_is_no_licence_for_another_name():
    assert refused(said(BOB, KEY), FIRST, SECOND) is Reason.WRONG_IDENTITY
    assert refused(said(BOB, KEY), SECOND) is Reason.WRONG_KEY


def test_a_certificate_is_no_licence_for_another_name():
    assert refused(said(BOB, OWN), BY_NAME) is Reason.WRONG_IDENTITY
    assert refused(said(ALICE, OWN), replace(BY_NAME, remote_identity=BOB)) is Reason.WRONG_IDENTITY


def test_the_name_that_the_peer_wants_decides_between_equals():
    other = replace(FIRST, name="other", local_identity=BOB)
    assert found(said(ALICE, KEY, responder_id(BOB)), FIRST, other) is other
    assert found(said(ALICE, KEY, responder_id(ALICE)), FIRST) is FIRST
    both = replace(BY_NAME, name="other", auth=(replace(WAY, own=(ELSE,)),))
    assert found(said(ALICE, OWN, responder_id(ME)), BY_NAME, both, way=both.auth[0]) is both


def test_each_way_is_only_for_entries_that_name_it():
    assert refused(said(ALICE, KEY), replace(FIRST, auth=())) is Reason.NO_POLICY
    assert refused(said(ALICE, KEY), BY_NAME) is Reason.WRONG_METHOD
    assert refused(said(ALICE, OWN), FIRST) is Reason.WRONG_METHOD
    null = Said(chain(AuthPayload(AuthMethod.NULL, b"")), ALICE, b"", HASHES, PATH, inner=False)
    assert refused(null, FIRST, BY_NAME) is Reason.WRONG_METHOD


def test_the_responder_goes_the_way_that_the_initiator_takes():
    for own, ways, good in ((KEY, (KEY,), KEY), (OWN, (WAY,), WAY), (KEY, (WAY,), None), (OWN, (KEY,), None)):
        exchange = judge_responder(said(ALICE, own), KEYS, replace(BY_NAME, auth=(WAY, KEY)), ways)
        if good is not None:
            assert run(exchange, WAY)[1] is good
        else:
            with pytest.raises(Disbelieved) as raised:
                run(exchange)
            assert raised.value.reason is Reason.WRONG_METHOD
    mixed = replace(FIRST, auth=(WAY, KEY))
    assert taken_from(mixed, WAY) == (WAY,)
    assert taken_from(mixed, KEY) == (KEY,)
    assert taken_from(replace(mixed, local_auth=(KEY,)), KEY) == (WAY, KEY)


def test_the_proof_of_a_side_is_not_that_of_the_other():
    mine = said(ALICE, KEY)
    assert proves(mine, KEYS, KEY)
    assert not proves(replace(mine, signed=said(ALICE, KEY, initiator=False).signed), KEYS, KEY)


def test_our_way_is_the_policys_first_that_the_peer_asks_for():
    asks, asks_else, silent = chain(*requests((WAY,))), chain(*requests((ASIDE,))), chain()
    for ways, theirs, good in (
        ((WAY, KEY), asks, WAY), ((WAY, KEY), silent, KEY), ((KEY, WAY), asks, KEY), ((ASIDE, WAY), asks, WAY),
        ((WAY, ASIDE), silent, WAY), ((WAY, KEY), asks_else, KEY), ((WAY,), asks_else, WAY),
    ):  # fmt: skip
        assert own_way(replace(FIRST, auth=ways), theirs) is good
    assert own_way(replace(FIRST, auth=(KEY,), local_auth=(WAY,)), silent) is WAY
    with pytest.raises(Aborted) as raised:
        own_way(replace(FIRST, auth=(replace(WAY, own=()),)), asks)
    assert raised.value.reason is Reason.NO_CERTIFICATE


def test_the_answer_is_by_the_same_way_unless_the_policy_says_otherwise():
    mixed = replace(FIRST, auth=(KEY, ASIDE, WAY))
    assert answering_ways(mixed, KEY) == (KEY,)
    assert answering_ways(mixed, WAY) == (WAY, ASIDE)
    assert answering_ways(replace(mixed, local_auth=(KEY,)), WAY) == (KEY,)
    assert own_for((WAY, ASIDE), chain(), ME) is ELSE
    with pytest.raises(Aborted):
        own_for((replace(WAY, own=()),), chain())


def test_our_name():
    nameless = replace(BY_NAME, local_identity=None)
    assert own_name(FIRST, KEY, PATH) == ME
    assert str(own_name(nameless, KEY, PATH)) == "192.0.2.1"
    assert str(own_name(nameless, OWN, PATH)) == "CN=alice"
    assert own_name(nameless, OWN, PATH, ALICE) == ALICE
    assert str(own_name(nameless, OWN, PATH, BOB)) == "CN=alice"


def test_hashes_are_announced_only_where_there_are_certificates():
    assert first_words((FIRST,)) == ()
    assert len(first_words((FIRST, BY_NAME))) == len(first_words((replace(FIRST, local_auth=(WAY,)),))) == 1


def test_refusals():
    denied = chain(NotifyPayload(Notify.AUTHENTICATION_FAILED))
    assert refused_proof(denied, KEY).reason is Reason.WRONG_KEY
    assert refused_proof(denied, OWN).reason is Reason.PEER_REFUSED
    assert refused_proof(chain(NotifyPayload(Notify.INVALID_SYNTAX)), KEY).reason is Reason.PEER_REFUSED
    assert "nothing" in refused_proof(chain(), KEY).message
