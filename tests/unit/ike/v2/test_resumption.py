# SPDX-License-Identifier: Apache-2.0
"""IKE_SESSION_RESUME: formulas computed a second time, and what of a ticket nobody gets around."""

import hmac
from dataclasses import replace

import pytest

from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Limits
from ringfence.ike.claims import Claim
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Env, Finished, Message, Protect, Say, Stepper
from ringfence.ike.header import Header
from ringfence.ike.payload import decode_chain, encode_chain
from ringfence.ike.redirects import Redirects
from ringfence.ike.v2 import resumption
from ringfence.ike.v2.channel import Frame, in_clear
from ringfence.ike.v2.keys import Ends, resumed
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import REGISTRY, AuthPayload, IdResponderPayload, NoncePayload, NotifyPayload
from ringfence.ike.v2.peers import Proved, initiator_id, responder_id
from ringfence.ike.v2.redirect import Elsewhere
from ringfence.ike.v2.resumption import Resumption, proof_ends
from ringfence.ike.v2.tickets import Ticket, Tickets
from ringfence.secret import Secret
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

ALICE, BOB = Identity.parse("alice.lab"), Identity.parse("bob.lab")
NAMED = HostPolicy("192.0.2.1", "192.0.2.2", keying=(2,), resumption=True, local_identity=ALICE, remote_identity=BOB)
(OURS,), (THEIRS,) = NAMED.compiled()[1], NAMED.mirrored().compiled()[1]
D = Secret(bytes(range(32)))
SPIS = b"initiato", b"responde"
HERE, THERE = path_between("192.0.2.1", "192.0.2.2"), path_between("192.0.2.2", "192.0.2.1")


def ticket(entry, local, remote, octets=b"", until=1000.0):
    return Ticket(
        octets, D, FAST_MAIN, Proved(entry, FAST_MAIN, local, Claim(remote, (remote,)), entry.auth[0]), until, 1
    )


def message(kind, number, payloads, *, response):
    frame = Frame((SPIS[0], SPIS[1] if response or number else bytes(8)), kind, number, not response, response)
    octets = in_clear(frame, payloads)
    first, body = encode_chain(payloads)
    return Message(Header.decode(octets[:28]), decode_chain(first, body, REGISTRY, most_padding=0), octets)


class Client:
    """The initiator, up to IKE_AUTH."""

    def __init__(self, name):
        env, known = Env(SeededRandom("client")), Tickets()
        known.hold(ticket(OURS, ALICE, BOB, name), HERE)
        self.tickets = Resumption(known, 1, HERE, env)
        elsewhere = Elsewhere(Redirects(), HERE, env)
        self.stepper = Stepper(resumption.initiate(self.tickets, OURS, elsewhere, SPIS[0], env))

    def ask(self, answer=None):
        command = self.stepper.step(answer)
        while not isinstance(command, Say | Finished):
            command = self.stepper.step()
        return command


class Gateway:
    """The responder."""

    def __init__(self, entries=(THEIRS,)):
        self.known, self.env = Tickets(), Env(SeededRandom("gateway"))
        self.name = self.known.give(ticket(THEIRS, BOB, ALICE), self.env.random)
        self.entries, self.keys = entries, None

    def begin(self, first):
        tickets = Resumption(self.known, 1, THERE, self.env)
        self.stepper = Stepper(resumption.respond(first, tickets, self.entries, SPIS, self.env))
        return self.go_on()

    def go_on(self, heard=None):
        command = self.stepper.step(heard)
        while not isinstance(command, Say | Finished):
            if isinstance(command, Protect):
                self.keys = command.shield
            command = self.stepper.step()
        return command


def halfway():
    """Both after IKE_SESSION_RESUME; the client's exchange of IKE_AUTH has begun."""
    gateway = Gateway()
    client = Client(gateway.name)
    said = client.ask()
    answer = gateway.begin(message(Kind.IKE_SESSION_RESUME, 0, said.payloads, response=False))
    found = client.ask(message(Kind.IKE_SESSION_RESUME, 0, answer.payloads, response=True)).result
    auth = Stepper(resumption.introduce(found, OURS))
    return gateway, found, auth, auth.step().payloads, said.payloads, answer.payloads


def test_keys_and_proofs_are_those_of_the_rfc():
    gateway, found, auth, request, first, answer = halfway()
    nonces = [next(each.data for each in said if isinstance(each, NoncePayload)) for said in (first, answer)]
    seed, block, material = hmac.digest(D.reveal(), b"Resumption" + b"".join(nonces), "sha256"), b"", b""
    for number in range(1, 8):
        block = hmac.digest(seed, block + b"".join(nonces) + b"".join(SPIS) + bytes([number]), "sha256")
        material += block
    parts = [material[at : at + 32] for at in range(0, 224, 32)]
    for keys in (found.begun.keys, gateway.keys):
        assert [one.reveal() for one in (keys.d, keys.ai, keys.ar, keys.ei, keys.er, keys.pi, keys.pr)] == parts
    pi, pr = parts[5:]
    taken = gateway.go_on(message(Kind.IKE_AUTH, 1, request, response=False)).result
    raw = message(Kind.IKE_SESSION_RESUME, 0, first, response=False).octets
    mine = hmac.digest(pi, raw + nonces[1] + hmac.digest(pi, b"\2\0\0\0alice.lab", "sha256"), "sha256")
    assert next(each for each in request if isinstance(each, AuthPayload)) == AuthPayload(2, mine)
    raw = message(Kind.IKE_SESSION_RESUME, 0, answer, response=True).octets
    theirs = hmac.digest(pr, raw + nonces[0] + hmac.digest(pr, b"\2\0\0\0bob.lab", "sha256"), "sha256")
    assert taken.met.words == (responder_id(BOB), AuthPayload(2, theirs))
    chain, proved = auth.step(message(Kind.IKE_AUTH, 1, taken.met.words, response=True)).result
    assert (proved.remote, taken.met.proved.remote) == (BOB, ALICE)
    assert chain.one(IdResponderPayload) == responder_id(BOB)


def test_a_ticket_is_spent_by_its_owner_alone():
    gateway, _, _, request, _, _ = halfway()
    forged = [replace(each, data=bytes(32)) if isinstance(each, AuthPayload) else each for each in request]
    with pytest.raises(Aborted) as raised:
        gateway.go_on(message(Kind.IKE_AUTH, 1, forged, response=False))
    assert raised.value.reason is Reason.WRONG_KEY
    assert gateway.known.find(gateway.name, 0) is not None


def test_of_two_that_prove_the_same_ticket_one_is_late():
    gateway, _, _, request, _, _ = halfway()
    gateway.known.spend(gateway.name)
    with pytest.raises(Aborted, match="used meanwhile"):
        gateway.go_on(message(Kind.IKE_AUTH, 1, request, response=False))


@pytest.mark.parametrize("whose", ["initiator", "responder"])
def test_another_name_than_that_of_the_ticket_is_nobody(whose):
    carol = Identity.parse("carol.lab")
    gateway, found, auth, request, _, _ = halfway()
    keys = found.begun.keys
    if whose == "initiator":
        mine = initiator_id(carol)
        proof = AuthPayload(2, keys.prf.mac(keys.pi.reveal(), found.begun.signed_by_us(mine)))
        with pytest.raises(Aborted, match=r"alice\.lab before"):
            gateway.go_on(message(Kind.IKE_AUTH, 1, (mine, *request[1:2], proof), response=False))
        return
    with pytest.raises(Aborted, match=r"bob\.lab before"):
        auth.step(message(Kind.IKE_AUTH, 1, (responder_id(carol), AuthPayload(2, bytes(32))), response=True))


def test_a_proof_about_the_first_message_alone_is_answered_alike():
    """Libreswan 5 takes "message octets" (§5.1) by the letter."""
    gateway, found, _, request, first, answer = halfway()
    raw = message(Kind.IKE_SESSION_RESUME, 0, first, response=False).octets
    brief = AuthPayload(2, hmac.digest(found.begun.keys.pi.reveal(), raw, "sha256"))
    words = [brief if isinstance(each, AuthPayload) else each for each in request]
    taken = gateway.go_on(message(Kind.IKE_AUTH, 1, words, response=False)).result
    raw = message(Kind.IKE_SESSION_RESUME, 0, answer, response=True).octets
    assert taken.met.words[1] == AuthPayload(2, hmac.digest(gateway.keys.pr.reveal(), raw, "sha256"))


def test_our_own_proof_thrown_back_is_none():
    _, _, auth, request, _, _ = halfway()
    proof = next(each for each in request if isinstance(each, AuthPayload))
    with pytest.raises(Aborted) as raised:
        auth.step(message(Kind.IKE_AUTH, 1, (responder_id(BOB), proof), response=True))
    assert raised.value.reason is Reason.WRONG_KEY


@pytest.mark.parametrize(
    "entries",
    [(), (replace(THEIRS, resumption=False),), (replace(THEIRS, remote_identity=Identity.parse("carol.lab")),)],
)
def test_the_policy_of_now_decides(entries):
    gateway = Gateway(entries)
    words = NoncePayload(bytes(32)), NotifyPayload(Notify.TICKET_OPAQUE, gateway.name)
    with pytest.raises(Answered) as raised:
        gateway.begin(message(Kind.IKE_SESSION_RESUME, 0, words, response=False))
    assert (raised.value.notify, raised.value.reason) == (Notify.TICKET_NACK, Reason.TICKET)


@pytest.mark.parametrize("count", [0, 2])
def test_there_is_one_ticket_in_a_message(count):
    gateway = Gateway()
    words = NoncePayload(bytes(32)), *[NotifyPayload(Notify.TICKET_OPAQUE, gateway.name)] * count
    with pytest.raises(Answered):
        gateway.begin(message(Kind.IKE_SESSION_RESUME, 0, words, response=False))


def test_without_a_ticket_or_where_it_is_not_taken_the_client_begins_as_ever():
    client = Client(b"opaque")
    assert client.ask().kind == Kind.IKE_SESSION_RESUME
    refused = message(Kind.IKE_SESSION_RESUME, 0, (NotifyPayload(Notify.TICKET_NACK),), response=True)
    assert client.ask(refused).result is None
    assert Client(b"").ask().result is None
    assert client.tickets.held(OURS) is None


@pytest.mark.parametrize("change", [{"anew": True}, {"path": path_between("192.0.2.1", "192.0.2.9")}])
def test_a_ticket_is_for_one_peer_and_not_for_a_new_proof(change):
    client = Client(b"opaque")
    assert replace(client.tickets, **change).held(OURS) is None


def test_when_a_proof_is_over():
    proved = ticket(OURS, ALICE, BOB).proved
    endless = replace(FAST_MAIN, limits=Limits())
    assert proof_ends(replace(proved, proposal=endless), 10, None) is None
    assert proof_ends(proved, 10, None) == 10 + 28800
    assert proof_ends(proved, 10, 50) == 50
    limited = replace(proved, entry=replace(OURS, reauthenticate_s=30))
    assert proof_ends(limited, 10, None) == 40


def test_keys_differ_with_each_resumption():
    one, other = (resumed(FAST_MAIN, D, Ends(*SPIS, bytes(32), bytes([n]) * 32)) for n in (1, 2))
    assert one.d != other.d
