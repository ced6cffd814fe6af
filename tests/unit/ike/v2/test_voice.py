# SPDX-License-Identifier: Apache-2.0
"""What an IKE SA sends and opens, and whom it follows."""

from dataclasses import replace

import pytest
from unit.ike.v2.test_keys import CBC, ENDS, SECRET

from ringfence.audit import MessageExchanged, MessageIgnored
from ringfence.ike.dispatch import header_of
from ringfence.ike.effects import Report, SendMessage
from ringfence.ike.errors import Ignored, Reason, Refused
from ringfence.ike.exchange import Env
from ringfence.ike.happening import Moved
from ringfence.ike.v2.channel import Frame, in_clear
from ringfence.ike.v2.fragment import Gathering
from ringfence.ike.v2.informational import delete_ike
from ringfence.ike.v2.keys import derive
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import NoncePayload, NotifyPayload, VendorPayload
from ringfence.ike.v2.voice import Voice
from ringfence.net.address import Endpoint
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

PATH = path_between("192.0.2.1", "192.0.2.2")
FLOATED = path_between("192.0.2.1", "192.0.2.2", 4500)
SPIS = ENDS.initiator_spi, ENDS.responder_spi


def voice(*, initiator=True, keys=True):
    made = Voice(PATH, SPIS, Env(SeededRandom(0)), initiator=initiator)
    if keys:
        made.protect(derive(CBC, SECRET, ENDS))
    return made


def test_what_one_says_the_other_opens():
    ours, theirs = voice(), voice(initiator=False)
    (datagram,) = ours.say(Kind.INFORMATIONAL, 3, (delete_ike(),), response=False)
    sent, told = ours.drain()
    assert sent == SendMessage(datagram, PATH)
    assert isinstance(told, Report)
    assert isinstance(told.event, MessageExchanged)
    assert (told.event.exchange, told.event.number, told.event.encrypted) == ("INFORMATIONAL", 1, True)
    message = theirs.open(header_of(datagram), datagram)
    assert [*message.chain] == [delete_ike()]
    assert ours.drain() == []


def test_a_response_goes_where_the_request_came_from():
    ours = voice()
    ours.came_by = FLOATED
    (datagram,) = ours.say(Kind.INFORMATIONAL, 0, (), response=True)
    assert ours.drain()[0] == SendMessage(datagram, FLOATED)
    assert ours.path == PATH


def test_what_is_not_opened():
    ours, theirs = voice(), voice(initiator=False)
    (sealed,) = ours.say(Kind.INFORMATIONAL, 0, (), response=False)
    with pytest.raises(Ignored, match="says to be ours"):
        ours.open(header_of(sealed), sealed)
    with pytest.raises(Ignored, match="before there are keys"):
        voice(initiator=False, keys=False).open(header_of(sealed), sealed)
    clear = in_clear(Frame(SPIS, Kind.IKE_AUTH, 1, initiator=True, response=False), (delete_ike(),))
    with pytest.raises(Ignored) as raised:
        theirs.open(header_of(clear), clear)
    assert raised.value.reason is Reason.UNPROTECTED
    header = replace(header_of(sealed), exchange=99)
    with pytest.raises(Ignored) as raised:
        theirs.open(header, sealed)
    assert raised.value.reason is Reason.EXCHANGE_TYPE
    (odd,) = ours.say(Kind.CREATE_CHILD_SA, 0, (NoncePayload(bytes(16)),), response=False)
    with pytest.raises(Refused):
        theirs.open(header_of(odd), odd)


def joining(**words):
    made = voice(**words)
    made.peer_joins = True
    return made


LONG = (VendorPayload(bytes(range(256)) * 12), delete_ike())


def test_a_large_message_goes_in_pieces_and_is_told_as_one():
    ours, theirs = joining(), joining(initiator=False)
    pieces = ours.say(Kind.INFORMATIONAL, 0, LONG, response=False)
    assert len(pieces) == 3
    told = ours.drain()[-1].event
    assert (told.payloads, told.octets) == ("V D (in 3 fragments)", sum(map(len, pieces)))
    for number in (2, 0):
        with pytest.raises(Gathering) as raised:
            theirs.open(header_of(pieces[number]), pieces[number])
        theirs.report_ignored(raised.value)
    assert theirs.drain() == []
    assert tuple(theirs.open(header_of(pieces[1]), pieces[1]).chain) == LONG
    (heard,) = theirs.drain()
    assert heard.event.octets == told.octets
    assert len(ours.made(Kind.INFORMATIONAL, 0, LONG, response=False, narrow=True)) == 7


def test_only_to_who_announces_it():
    plain, clear = voice(), joining()
    assert len(plain.say(Kind.INFORMATIONAL, 0, LONG, response=False)) == 1
    assert len(clear.say(Kind.IKE_SA_INIT, 0, LONG, response=False)) == 1
    announcing = (NotifyPayload(Notify.IKEV2_FRAGMENTATION_SUPPORTED),)
    refusing = voice()
    refusing.joins = False
    (piece, *_) = joining(initiator=False).say(Kind.INFORMATIONAL, 0, LONG, response=False)
    with pytest.raises(Ignored, match="the policy takes none"):
        refusing.open(header_of(piece), piece)
    assert not refusing.peer_joins
    first = in_clear(Frame(SPIS, Kind.IKE_SA_INIT, 0, initiator=False, response=True), announcing)
    plain.open(header_of(first), first)
    assert plain.peer_joins


def test_hears_only_the_two_addresses():
    ours = voice()
    assert ours.hears(FLOATED)
    assert not ours.hears(path_between("192.0.2.1", "192.0.2.9"))


def test_follows_to_the_other_port_and_then_only_who_is_behind_nat():
    ours = voice()
    ours.came_by = FLOATED
    ours.follow()
    assert ours.path == FLOATED
    assert ours.drain() == [Moved()]
    mapped = replace(FLOATED, remote=Endpoint(FLOATED.remote.address, 1024))
    ours.came_by = mapped
    ours.follow()
    assert ours.path == FLOATED
    ours.peer_moves = True
    ours.follow()
    assert ours.path == mapped


def test_what_is_dropped_is_told():
    ours = voice()
    ours.report_ignored(Ignored(Reason.MALFORMED, "why"))
    (told,) = ours.drain()
    assert told.event == MessageIgnored(peer=ours.peer, reason="malformed", detail="why")
