# SPDX-License-Identifier: Apache-2.0
"""Quick mode from both sides, message by message."""

from dataclasses import replace

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.demand import Demand, Grant
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Limits, Protocol
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.ike.children import Children
from ringfence.ike.effects import InstallInbound
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.exchange import Env
from ringfence.ike.header import Exchange
from ringfence.ike.isakmp import encode_attributes
from ringfence.ike.payload import encode_chain
from ringfence.ike.v1.identities import quick_ids
from ringfence.ike.v1.methods import choose_quick, offer_quick
from ringfence.ike.v1.negotiate import life_attributes
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import HashPayload, IdPayload, KePayload, NoncePayload, NotifyPayload, SaPayload
from ringfence.ike.v1.quick_mode import Contest, Ground, Wanted, authentic, initiate, respond
from ringfence.testing.hosts import AH_SHA256, ESP_CBC, ESP_GCM, HostPolicy, method
from ringfence.testing.mainmode import main_keys
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom
from ringfence.testing.script import Script, message

KEYS = main_keys()
NUMBER = 7
POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
NONCE, THEIR_NONCE = NoncePayload(b"our nonce"), NoncePayload(b"their nonce")
THEIRS = {Protocol.ESP: 0x3003, Protocol.AH: 0x4004}


def ground(policy=POLICY):
    peer = Identity.parse(policy.remote)
    return Ground(1, KEYS, path_between(policy.local, policy.remote), peer, NUMBER, Children())


def play(exchange):
    return Script(exchange, message_id=NUMBER, kind=Exchange.QUICK)


def hashed(nonce, *payloads):
    _, octets = encode_chain(payloads)
    return HashPayload(KEYS.phase2_hash(NUMBER, nonce, octets)), *payloads


def begun(policy=POLICY, **wanted):
    (entry,) = policy.compiled()[0]
    script = play(initiate(ground(policy), Wanted(entry, policy.selector, NONCE.data, **wanted), Env(SeededRandom(1))))
    ke = [KePayload] if policy.pfs else []
    script.asks(HashPayload, SaPayload, NONCE, *ke, IdPayload, IdPayload)
    authentic(ground())(message(*script.said, message_id=NUMBER))
    return script, entry


def taken(script, entry, processing=None):
    return choose_quick(script.said[1], processing or entry.processing, THEIRS).answer


def test_we_begin():
    script, entry = begun(replaces=5)
    ids = script.said[-2:]
    assert ids == quick_ids(POLICY.selector)
    answer = hashed(NONCE.data, taken(script, entry), THEIR_NONCE, *ids)
    script.refuses(Reason.BAD_HASH, HashPayload(b""), *answer[1:])
    script.refuses(Reason.BAD_HASH, *hashed(b"", *answer[1:]))
    child = script.gets(*answer).does(InstallInbound).child
    nonces = NONCE.data + THEIR_NONCE.data
    script.concludes(HashPayload(KEYS.quick_hash_3(NUMBER, nonces)))
    assert script.returns() is child
    assert (child.selector, child.entry, child.replaces, child.ike_id) == (POLICY.selector, entry.name, 5, 1)
    ((out,), (into,)) = child.outbound, child.inbound
    assert out.spi == THEIRS[Protocol.ESP]
    assert out.cipher_key.reveal() == KEYS.keymat(3, bytes.fromhex("00003003"), nonces, None, 36)
    assert into.cipher_key.reveal() == KEYS.keymat(3, into.spi.to_bytes(4), nonces, None, 36)
    assert child.hard == Limits(3600)
    assert 2500 < child.soft.seconds < 2900


def test_the_responder_may_say_that_it_lives_shorter():
    script, entry = begun()
    data = encode_attributes(tuple(life_attributes(Limits(600, 4096), 1, 2)))
    notify = NotifyPayload(1, 3, bytes(4), Notify.RESPONDER_LIFETIME, data)
    broken = NotifyPayload(1, 3, bytes(4), Notify.RESPONDER_LIFETIME, b"\0\1\0")
    answer = hashed(NONCE.data, taken(script, entry), THEIR_NONCE, *script.said[-2:], broken, notify)
    assert script.gets(*answer).does(InstallInbound).child.hard == Limits(600, 4096)


def test_an_answer_for_other_traffic():
    script, entry = begun()
    others = quick_ids(replace(POLICY.selector, protocol=6))
    script.gets(*hashed(NONCE.data, taken(script, entry), THEIR_NONCE, *others))
    assert "tcp" in script.raises(Reason.WRONG_SELECTORS).detail


def test_an_answer_without_ids_is_about_the_hosts():
    script, entry = begun()
    script.gets(*hashed(NONCE.data, taken(script, entry), THEIR_NONCE)).does(InstallInbound)
    script, entry = begun(POLICY.with_(protocol=6))
    script.gets(*hashed(NONCE.data, taken(script, entry), THEIR_NONCE)).raises(Reason.WRONG_SELECTORS)


def test_a_changed_answer():
    script, entry = begun()
    other = offer_quick(replace(entry.processing, methods=(method(ESP_CBC),)), THEIRS)
    script.gets(*hashed(NONCE.data, other, THEIR_NONCE, *script.said[-2:])).raises(Reason.CHANGED_PROPOSAL)


@pytest.mark.parametrize("ke", [(), (KePayload(b"short"),)])
def test_a_second_exchange_that_does_not_come_or_is_wrong(ke):
    script, entry = begun(POLICY.with_(pfs=DhGroup.ECP_256))
    ids = script.said[-2:]
    script.gets(*hashed(NONCE.data, taken(script, entry), THEIR_NONCE, *ke, *ids)).raises(Reason.BAD_KEY_EXCHANGE)


def test_a_key_exchange_that_nobody_asked_for():
    script, entry = begun()
    ids = script.said[-2:]
    script.gets(*hashed(NONCE.data, taken(script, entry), THEIR_NONCE, KePayload(b"g"), *ids))
    assert "adds a key exchange" in script.raises(Reason.BAD_KEY_EXCHANGE).detail


# We answer ---------------------------------------------------------------------------------------------------------

SERVER = POLICY.mirrored()


def first(*payloads, policy=POLICY, ids=None):
    (entry,) = policy.compiled()[0]
    offer = offer_quick(entry.processing, {Protocol.ESP: 0x1001, Protocol.AH: 0x2002})
    sent = quick_ids(policy.selector) if ids is None else ids
    return message(*hashed(b"", offer, NONCE, *payloads, *sent), message_id=NUMBER)


def answering(message_1, policy=SERVER, our_nonce=None, replaces=None):
    contest = Contest(tuple(policy.compiled()[0]), lambda _selector: our_nonce, lambda _selector: replaces)
    return play(respond(message_1, ground(policy), contest, Env(SeededRandom(2))))


def test_we_answer():
    script = answering(first(), replaces=9)
    child = script.does(InstallInbound).child
    assert child.selector == SERVER.selector
    assert child.replaces == 9
    script.asks(HashPayload, SaPayload, NoncePayload, IdPayload, IdPayload)
    nonces = NONCE.data + script.said[2].data
    assert script.said[3:] == quick_ids(POLICY.selector)
    assert script.said == hashed(NONCE.data, *script.said[1:])
    script.refuses(Reason.BAD_HASH, HashPayload(b""))
    assert script.gets(HashPayload(KEYS.quick_hash_3(NUMBER, nonces))).returns() is child
    assert child.outbound[0].spi == 0x1001
    assert child.outbound[0].cipher_key.reveal() == KEYS.keymat(3, b"\0\0\x10\1", nonces, None, 36)


def test_a_message_that_is_not_authentic():
    good = first()
    bad = message(HashPayload(b"x" * 32), *list(good.chain)[1:], message_id=NUMBER)
    authentic(ground(SERVER))(good)
    with pytest.raises(Ignored):
        authentic(ground(SERVER))(bad)


def test_no_ids_are_the_hosts():
    script = answering(first(ids=()))
    assert script.does(InstallInbound).child.selector == SERVER.selector
    script.asks(HashPayload, SaPayload, NoncePayload)


def test_two_that_cross():
    assert answering(first(), our_nonce=b"zz").raises(Reason.COLLISION)
    answering(first(), our_nonce=b"aa").does(InstallInbound)


BUNDLE = POLICY.with_(methods=(method(ESP_CBC, AH_SHA256),), mode=Mode.TUNNEL, local_net="10.1.0.0/16",
                      remote_net="10.2.0.0/16")  # fmt: skip


def test_a_bundle_in_a_tunnel():
    script = answering(first(policy=BUNDLE), policy=BUNDLE.mirrored())
    child = script.does(InstallInbound).child
    assert [(sa.protocol, sa.mode) for sa in child.inbound] == [
        (Protocol.ESP, Mode.TUNNEL), (Protocol.AH, Mode.TRANSPORT),
    ]  # fmt: skip
    assert [sa.spi for sa in child.outbound] == [0x1001, 0x2002]
    assert child.outbound[0].cipher_key != child.inbound[0].cipher_key
    assert len(child.inbound[1].authenticator_key) == 32


@pytest.mark.parametrize(
    ("offered", "ours", "reason"),
    [
        (POLICY.with_(remote_net="192.0.2.0/24"), SERVER, Reason.WRONG_SELECTORS),
        (POLICY.with_(protocol=6), SERVER.with_(protocol=17), Reason.WRONG_SELECTORS),
        (POLICY, SERVER.with_(methods=(method(AH_SHA256),)), Reason.NO_PROPOSAL),
        (BUNDLE, BUNDLE.mirrored().with_(remote_net="10.9.0.0/16"), Reason.WRONG_SELECTORS),
        (POLICY.with_(pfs=DhGroup.ECP_256), SERVER, Reason.BAD_KEY_EXCHANGE),
    ],
)
def test_what_we_do_not_take(offered, ours, reason):
    answering(first(policy=offered), policy=ours).raises(reason)


def test_transport_mode_serves_the_hosts_only():
    wide = SERVER.with_(local_net="192.0.2.0/24", remote_net="192.0.2.0/24")
    script = answering(first(policy=POLICY.with_(local_net="192.0.2.9")), policy=wide)
    assert "the two hosts only" in script.raises(Reason.WRONG_SELECTORS).detail


def test_a_tunnel_with_other_ends():
    (entry,) = BUNDLE.mirrored().compiled()[0]
    entry = replace(entry, processing=replace(entry.processing, tunnel_remote=bytes([10, 9, 9, 9])))
    contest = Contest((entry,), lambda _selector: None, lambda _selector: None)
    script = play(respond(first(policy=BUNDLE), ground(SERVER), contest, Env(SeededRandom(2))))
    assert "other ends" in script.raises(Reason.WRONG_SELECTORS).detail


def test_what_somebody_else_has_a_tunnel_for():
    class Held(Children):
        def rival(self, _entry, _selector, _peer):
            return Identity.parse("a.example")

    contest = Contest(tuple(BUNDLE.mirrored().compiled()[0]), lambda _selector: None, lambda _selector: None)
    held = replace(ground(SERVER), children=Held())
    script = play(respond(first(policy=BUNDLE), held, contest, Env(SeededRandom(2))))
    assert "what a.example has a tunnel for" in script.raises(Reason.WRONG_SELECTORS).detail


def test_the_first_entry_that_fits_serves_narrower_traffic():
    (wide,) = SERVER.compiled()[0]
    refusing = replace(wide, name="first", processing=replace(wide.processing, methods=(method(AH_SHA256),)))
    contest = Contest((refusing, wide), lambda _selector: None, lambda _selector: None)
    narrow = Selector.between("192.0.2.1", "192.0.2.2", 6)
    script = play(respond(first(ids=quick_ids(narrow)), ground(SERVER), contest, Env(SeededRandom(2))))
    child = script.does(InstallInbound).child
    assert child.entry == wide.name
    assert child.selector == narrow.reversed()


SOMEBODY_ELSE = Demand((Grant("for others", admission=Admission((Pattern("*.example"),))),))


def test_a_filter_may_permit_nothing_to_this_peer():
    (entry,) = POLICY.compiled()[0]
    wanted = Wanted(replace(entry, demand=SOMEBODY_ELSE), POLICY.selector, NONCE.data)
    refused = play(initiate(ground(POLICY), wanted, Env(SeededRandom(1)))).raises(Reason.NOT_AUTHORIZED)
    assert '"for others" permits nothing' in refused.detail
    (wide,) = SERVER.compiled()[0]
    asked = replace(wide, name="asked", demand=SOMEBODY_ELSE)
    contest = Contest((asked, wide), lambda _selector: None, lambda _selector: None)
    play(respond(first(), ground(SERVER), contest, Env(SeededRandom(2)))).raises(Reason.NOT_AUTHORIZED)
    narrow = replace(asked, selector=replace(asked.selector, protocol=6))
    contest = Contest((narrow, wide), lambda _selector: None, lambda _selector: None)
    script = play(respond(first(), ground(SERVER), contest, Env(SeededRandom(2))))
    assert script.does(InstallInbound).child.entry == wide.name, "of other traffic, too; the packet path tells it apart"


def test_shorter_lives_are_told():
    script = answering(first(), policy=SERVER.with_(methods=(method(ESP_GCM, seconds=600),)))
    assert script.does(InstallInbound).child.hard.seconds == 600
    script.asks(HashPayload, SaPayload, NoncePayload, IdPayload, IdPayload, NotifyPayload)
    notify = script.said[-1]
    assert (notify.kind, notify.protocol) == (Notify.RESPONDER_LIFETIME, 3)
    assert notify.data == bytes.fromhex("800100010002000400000258")
