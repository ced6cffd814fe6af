# SPDX-License-Identifier: Apache-2.0
"""Without an IKE SA: cookies, and what is said in clear."""

from dataclasses import replace

import pytest
from unit.ike.v2.test_channel import FRAME, keys

from ringfence.databases.proposal import Protocol
from ringfence.ike.dispatch import header_of
from ringfence.ike.effects import SendMessage
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.flood import SECRET_S, FloodLimits
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v2.channel import Frame, in_clear, is_response, open_clear, seal
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import KePayload, NoncePayload, NotifyPayload
from ringfence.ike.v2.proposals import offer_ike
from ringfence.ike.v2.stranger import (
    admit,
    begins,
    denied_spi,
    denies,
    refuse,
    unknown_ike_spi,
    unknown_spi,
    unknown_version,
)
from ringfence.ike.world import World
from ringfence.testing.hosts import FAST_MAIN
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

PATH = path_between("192.0.2.1", "192.0.2.2")
OTHER = path_between("192.0.2.1", "192.0.2.3")
SAID = offer_ike((FAST_MAIN,)), KePayload(31, bytes(32)), NoncePayload(bytes(32))
FIRST = Frame((b"initiato", bytes(8)), Kind.IKE_SA_INIT, 0, initiator=True, response=False)


def world(cookies_from=0, notifies=100.0):
    flood = FloodLimits(cookies_from=cookies_from, notifies_per_s=notifies)
    return World(SeededRandom(0), IkeSettings(flood=flood))


def first(*payloads):
    datagram = in_clear(FIRST, (*payloads, *SAID))
    return header_of(datagram), datagram


def answer(effects):
    """The datagram among effects, and what it says."""
    (sent,) = [effect for effect in effects if isinstance(effect, SendMessage)]
    header = header_of(sent.datagram)
    return header, [*open_clear(header, sent.datagram)]


def test_which_message_begins():
    assert begins(first()[0])
    for wrong in (
        replace(FIRST, message_id=1), replace(FIRST, initiator=False), replace(FIRST, response=True),
        replace(FIRST, kind=Kind.IKE_AUTH), replace(FIRST, spis=(b"initiato", b"responde")),
    ):  # fmt: skip
        assert not begins(header_of(in_clear(wrong, SAID)))


def demanded(said):
    """The demand for a cookie, and its one notify."""
    header = header_of(said)
    (demand,) = open_clear(header, said)
    return header, demand


def test_under_load_only_who_brings_the_cookie_back_is_heard():
    here = world()
    header, demand = demanded(admit(*first(), PATH, here))
    assert (header.initiator_cookie, header.responder_cookie) == (b"initiato", bytes(8))
    assert (header.exchange, header.message_id, is_response(header)) == (Kind.IKE_SA_INIT, 0, True)
    assert demand.kind == Notify.COOKIE
    assert 1 <= len(demand.data) <= 64
    assert admit(*first(demand), PATH, here) is None
    assert admit(*first(demand), OTHER, here) is not None
    assert admit(*first(replace(demand, data=bytes(32))), PATH, here) is not None
    assert admit(*first(replace(demand, data=demand.data[:8])), PATH, here) is not None


def test_a_cookie_ends_after_two_secrets():
    here = world()
    _, demand = demanded(admit(*first(), PATH, here))
    here.env.now = SECRET_S + 1
    assert admit(*first(demand), PATH, here) is None
    here.env.now = 3 * SECRET_S
    assert admit(*first(demand), PATH, here) is not None


@pytest.mark.parametrize("cut", [SAID[:2], ()])
def test_what_has_no_nonce_gets_nothing(cut):
    datagram = in_clear(FIRST, cut)
    with pytest.raises(Ignored) as raised:
        admit(header_of(datagram), datagram, PATH, world())
    assert raised.value.reason is Reason.PAYLOAD_MISSING


def test_an_unknown_ike_sa_is_told_of_requests_only():
    ours = keys()
    datagram = seal(FRAME, (), ours, bytes(16))
    header, said = answer(unknown_ike_spi(header_of(datagram), datagram, PATH, world()))
    assert said == [NotifyPayload(Notify.INVALID_IKE_SPI)]
    assert (header.initiator_cookie, header.responder_cookie, header.message_id) == (*FRAME.spis, 7)
    assert is_response(header)
    response = seal(replace(FRAME, response=True), (), keys(), bytes(16))
    assert unknown_ike_spi(header_of(response), response, PATH, world()) == []
    clear = in_clear(FRAME, ())
    assert unknown_ike_spi(header_of(clear), clear, PATH, world()) == []
    assert unknown_ike_spi(header_of(datagram), datagram, PATH, world(notifies=0.5)) == []


def test_an_unknown_spi_is_told_and_understood():
    effects = unknown_spi(0x12345678, PATH, world())
    (sent,) = [effect.datagram for effect in effects if isinstance(effect, SendMessage)]
    header = header_of(sent)
    assert {*denied_spi(header, sent)} == {(each, 0x12345678) for each in Protocol}
    assert denies(header, sent)
    assert unknown_spi(1, PATH, world(notifies=0.5)) == []


def test_what_denies_nothing():
    ours = keys()
    sealed = seal(FRAME, (), ours, bytes(16))
    assert denied_spi(header_of(sealed), sealed) == ()
    assert not denies(header_of(sealed), sealed)
    clear = in_clear(FRAME, (NotifyPayload(Notify.COOKIE, b"x"),))
    assert not denies(header_of(clear), clear)
    assert not denies(header_of(clear[:-1] + b"\xff"), clear[:20])


def test_later_versions_and_refusals():
    later = bytearray(first()[1])
    later[17] = 0x30
    header, said = answer(unknown_version(header_of(bytes(later)), PATH, world()))
    assert said == [NotifyPayload(Notify.INVALID_MAJOR_VERSION)]
    assert header.major == 2
    _, said = answer(refuse(first()[0], [NotifyPayload(Notify.NO_PROPOSAL_CHOSEN)], PATH))
    assert said == [NotifyPayload(Notify.NO_PROPOSAL_CHOSEN)]
    assert refuse(first()[0], [], PATH) == []
