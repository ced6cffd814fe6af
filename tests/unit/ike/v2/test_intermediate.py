# SPDX-License-Identifier: Apache-2.0
"""IKE_INTERMEDIATE: what AUTH covers is computed a second time, octet by octet, and nobody is believed too much."""

import hmac
from dataclasses import replace

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.ike.dispatch import header_of
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.exchange import Env, Finished, Hear, Message, Protect, Say, Stepper, Wait
from ringfence.ike.payload import Chain, decode_chain, encode_chain
from ringfence.ike.v2 import intermediate
from ringfence.ike.v2.channel import Frame, in_clear
from ringfence.ike.v2.keys import Ends, derive
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import ENCRYPTED, REGISTRY, KePayload, NotifyPayload, VendorPayload
from ringfence.secret import Secret
from ringfence.testing.hosts import FAST_MAIN
from ringfence.testing.random import SeededRandom

HYBRID = replace(FAST_MAIN, further=(DhGroup.ML_KEM_768, DhGroup.ECP_256))
ENDS = Ends(b"initiato", b"responde", b"i" * 32, b"r" * 32)
KEYS = derive(HYBRID, Secret(b"the first secret"), ENDS)


def message(number, payloads, *, response, kind=Kind.IKE_INTERMEDIATE):
    """As it is heard: what is inside, under a header that says so."""
    frame = Frame((ENDS.initiator_spi, ENDS.responder_spi), kind, number, initiator=not response, response=response)
    first, octets = encode_chain(payloads)
    header = replace(header_of(in_clear(frame, payloads)), next_payload=ENCRYPTED)
    return Message(header, decode_chain(first, octets, REGISTRY, most_padding=0))


def talk():
    """Both roles; the messages of each, and their keys in the end."""
    ours = Stepper(intermediate.initiate(KEYS, Env(SeededRandom("i"))))
    theirs = Stepper(intermediate.respond((VendorPayload(b"init"),), KEYS, (), Env(SeededRandom("r"))))
    said, shields = [], []

    def until(stepper, kind, command):
        while not isinstance(command, kind):
            if isinstance(command, Protect):
                shields.append(command.shield)
            command = stepper.step()
        return command

    assert until(theirs, Say, theirs.step()).wait is Wait.NOT
    command, number = until(ours, Say, ours.step()), 1
    while isinstance(command, Say):
        assert command.kind == Kind.IKE_INTERMEDIATE
        assert until(theirs, Hear, theirs.step()).kind == Kind.IKE_INTERMEDIATE
        asked = message(number, command.payloads, response=False)
        told = message(number, until(theirs, Say, theirs.step(asked)).payloads, response=True)
        said += [asked, told]
        command, number = until(ours, (Say, Finished), ours.step(told)), number + 1
    assert until(theirs, Hear, theirs.step()).kind == Kind.IKE_AUTH
    auth = message(number, (), response=False, kind=Kind.IKE_AUTH)
    heard = until(theirs, Finished, theirs.step(auth)).result
    assert heard.message is auth
    (ours, mixed), keys = command.result, heard.keys
    assert mixed is heard.mixed is None
    return said, shields, ours, keys


def test_both_come_to_the_same_keys():
    said, shields, ours, theirs = talk()
    assert len(said) == 4
    assert replace(ours, prf=theirs.prf) == theirs
    assert [each.d for each in shields[::2]] == [each.d for each in shields[1::2]]
    assert len({each.d.reveal() for each in (KEYS, *shields)}) == 3


def test_auth_covers_every_message():
    """RFC 9242 §3.3.2, from the formulas: headers and payloads, with lengths as if nothing were hidden."""
    said, shields, ours, _ = talk()
    macs = {False: b"", True: b""}
    for place, each in enumerate(said):
        keys, response = (KEYS, shields[0])[place // 2], bool(place % 2)
        inner = each.chain.octets
        flags = b"\x20" if response else b"\x08"
        whole = b"initiatoresponde" + b"\x2e\x20\x2b" + flags + (1 + place // 2).to_bytes(4)
        whole += (28 + 4 + len(inner)).to_bytes(4) + b"\x22\0" + (4 + len(inner)).to_bytes(2) + inner
        key = keys.pr if response else keys.pi
        macs[response] = hmac.digest(key.reveal(), macs[response] + whole, "sha256")
    assert ours.transcript == macs[False] + macs[True] + (3).to_bytes(4)
    assert ours.signed(b"first", b"id", initiator=True).endswith(ours.transcript)


def test_without_further_exchanges_there_is_nothing():
    plain = derive(FAST_MAIN, Secret(b"x"), ENDS)
    ended = Stepper(intermediate.initiate(plain, Env(SeededRandom("i")))).step()
    assert ended.result == (plain, None)
    assert plain.transcript == b""
    role = Stepper(intermediate.respond((VendorPayload(b"init"),), plain, (), Env(SeededRandom("r"))))
    assert role.step().wait is Wait.PATIENTLY
    auth = message(1, (), response=False, kind=Kind.IKE_AUTH)
    assert role.step(auth).result == intermediate.Heard(auth, plain, ())


@pytest.mark.parametrize("payloads", [(), (NotifyPayload(Notify.TEMPORARY_FAILURE),)])
def test_a_peer_that_gives_no_value_is_no_peer(payloads):
    role = Stepper(intermediate.initiate(KEYS, Env(SeededRandom("i"))))
    role.step()
    with pytest.raises(Aborted) as raised:
        role.step(message(1, payloads, response=True))
    assert raised.value.reason is Reason.PEER_REFUSED


@pytest.mark.parametrize("value", [KePayload(36, bytes(100)), KePayload(19, bytes(64)), KePayload(36, b"\xff" * 1184)])
def test_a_wrong_value_ends_it(value):
    role = Stepper(intermediate.respond((), KEYS, (), Env(SeededRandom("r"))))
    role.step()
    role.step()
    with pytest.raises(Refused) as raised:
        role.step(message(1, (value,), response=False))
    assert raised.value.reason is Reason.BAD_KEY_EXCHANGE


def test_payloads_in_clear_are_not_covered_and_not_taken():
    said = message(1, (KePayload(36, bytes(1184)),), response=False)
    with pytest.raises(Refused, match="in clear"):
        intermediate.heard(replace(said, header=replace(said.header, next_payload=43)))


def test_who_can_do_it():
    chain = Chain(())
    assert not intermediate.is_served(chain)
    assert intermediate.offered((FAST_MAIN,)) == intermediate.granted(FAST_MAIN) == ()
    assert intermediate.offered((HYBRID, FAST_MAIN)) == intermediate.granted(HYBRID) == (intermediate.SUPPORTED,)
    assert intermediate.offered((FAST_MAIN,), ppk=True) == intermediate.granted(FAST_MAIN, ppk=True)
    intermediate.check_served(FAST_MAIN, chain)
    with pytest.raises(Aborted, match="IKE_INTERMEDIATE"):
        intermediate.check_served(HYBRID, chain)
