# SPDX-License-Identifier: Apache-2.0
"""First messages under load: what is answered is what a responder would say, and what is kept is enough to go on."""

from dataclasses import replace

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.pad import Pad
from ringfence.ike.dispatch import header_of
from ringfence.ike.errors import Ignored, IkeError, Reason
from ringfence.ike.flood import FloodLimits
from ringfence.ike.header import NO_COOKIE, VERSION_1, Exchange, Flags, Header
from ringfence.ike.payload import encode_chain
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1.channel import open_clear
from ringfence.ike.v1.firsts import Firsts, token
from ringfence.ike.v1.negotiate import offer_main
from ringfence.ike.v1.payloads import NotifyPayload, SaPayload, VendorPayload
from ringfence.ike.v1.session import Session
from ringfence.ike.v1.stranger import cookie_in
from ringfence.ike.v1.vendors import OURS
from ringfence.ike.world import World
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

PATH, OTHER = path_between("192.0.2.1", "192.0.2.2"), path_between("192.0.2.1", "192.0.2.3")
SAID = offer_main((FAST_MAIN,)), VendorPayload(b"somebody else's!")


def world(**limits):
    made = World(SeededRandom(0), IkeSettings(flood=FloodLimits(**limits)))
    made.spd, made.pad = HostPolicy("192.0.2.1", "192.0.2.2").compiled()
    return made


def first(payloads=SAID, cookie=b"initiate"):
    number, octets = encode_chain(payloads)
    message = Header(cookie, NO_COOKIE, number, VERSION_1, Exchange.MAIN, Flags(0), 0).over(octets)
    return header_of(message), message


def asked(firsts, here, message, path=PATH):
    answer = firsts.answer(*message, path, tuple(here.pad))
    return header_of(answer), answer


def test_the_answer_is_that_of_an_ike_sa():
    here = world()
    header, answer = asked(Firsts(here), here, first())
    cookies = header.initiator_cookie, header.responder_cookie
    session = Session(1, PATH, cookies, tuple(here.pad), here, initiator=False)
    outputs = session.answer(*first(), first_contact=lambda: False)
    assert answer in [getattr(each, "datagram", b"") for each in outputs]


def test_message_1_is_remembered_for_who_goes_on_by_the_same_way():
    here = world()
    firsts = Firsts(here)
    header, _ = asked(firsts, here, first())
    assert len(firsts) == 1
    assert firsts.recall(header, OTHER) is None
    assert firsts.recall(replace(header, responder_cookie=b"whatever"), PATH) is None
    assert firsts.recall(header, PATH) == first()[1]
    assert firsts.recall(header, PATH) is None, "once"
    assert len(firsts) == 0


def test_a_message_that_comes_again_is_answered_alike_and_kept_once():
    here = world()
    firsts = Firsts(here)
    assert asked(firsts, here, first()) == asked(firsts, here, first())
    assert asked(firsts, here, first())[0] != asked(firsts, here, first(), OTHER)[0], "a cookie is for one way"
    assert len(firsts) == 2


def test_who_knows_cookies_is_asked_for_one():
    here = world()
    firsts = Firsts(here)
    header, answer = asked(firsts, here, first((*SAID, VendorPayload(OURS))))
    (demand,) = open_clear(header, answer)
    assert (header.exchange, header.responder_cookie, header.encrypted) == (Exchange.INFORMATIONAL, NO_COOKIE, False)
    assert isinstance(demand, NotifyPayload)
    assert len(firsts) == 0
    brought = replace(first()[0], responder_cookie=cookie_in(demand))
    assert firsts.brings_cookie(brought, PATH)
    assert not firsts.brings_cookie(brought, OTHER)
    assert not firsts.brings_cookie(replace(brought, initiator_cookie=b"another!"), PATH)
    assert not firsts.brings_cookie(first()[0], PATH)


@pytest.mark.parametrize(
    ("payloads", "reason"),
    [
        ((VendorPayload(bytes(16)),), Reason.PAYLOAD_MISSING),
        ((offer_main((replace(FAST_MAIN, group=DhGroup.ECP_384),)),), Reason.NO_PROPOSAL),
        ((*SAID, *[VendorPayload(bytes(1000))] * 4), Reason.HALF_OPEN_LIMIT),
    ],
)
def test_what_is_no_offer_of_ours_gets_nothing(payloads, reason):
    here = world()
    firsts = Firsts(here)
    with pytest.raises(IkeError) as raised:
        asked(firsts, here, first(payloads))
    assert raised.value.reason is reason
    assert len(firsts) == 0


def test_new_offers_are_read_so_often_and_known_ones_always():
    here = world(fresh_per_s=2)
    firsts = Firsts(here)
    for number in range(2):
        asked(firsts, here, first((*SAID, VendorPayload(b"%16d" % number))))
    with pytest.raises(Ignored) as raised:
        asked(firsts, here, first((*SAID, VendorPayload(b"%16d" % 2))))
    assert raised.value.reason is Reason.HALF_OPEN_LIMIT
    asked(firsts, here, first((*SAID, VendorPayload(b"%16d" % 1)), b"another!"))


def test_offers_that_somebody_went_on_with_outlive_a_flood_of_others(monkeypatch):
    monkeypatch.setattr("ringfence.ike.v1.firsts.MOST_BODIES", 3)
    here = world(fresh_per_s=7)
    firsts = Firsts(here)
    firsts.recall(asked(firsts, here, first())[0], PATH)
    for number in range(6):
        asked(firsts, here, first((*SAID, VendorPayload(b"%16d" % number))))
    asked(firsts, here, first(cookie=b"the next"))
    with pytest.raises(Ignored):
        asked(firsts, here, first((*SAID, VendorPayload(b"%16d" % 0)), b"the next"))


def test_another_policy_gives_other_answers():
    here = world()
    firsts = Firsts(here)
    asked(firsts, here, first())
    (entry,) = here.pad
    here.pad = Pad((replace(entry, proposals=(replace(FAST_MAIN, group=DhGroup.ECP_384),)),))
    with pytest.raises(IkeError):
        asked(firsts, here, first(cookie=b"the next"))


def test_a_cookie_names_both_ends_and_ports():
    far = path_between("192.0.2.1", "192.0.2.2", 4500)
    assert len({token(PATH, b"initiate"), token(OTHER, b"initiate"), token(far, b"initiate"), token(PATH, b"x")}) == 4


def test_message_2_names_the_offer_as_it_came():
    here = world()
    header, answer = asked(Firsts(here), here, first())
    sent = open_clear(first()[0], first()[1]).body(SaPayload)
    assert open_clear(header, answer).body(SaPayload) == sent
