# SPDX-License-Identifier: Apache-2.0
"""Words of MOBIKE, octet for octet (RFC 4555 §4.2)."""

from dataclasses import replace

import pytest

from ringfence.databases.pad import Ends
from ringfence.ike.errors import Aborted
from ringfence.ike.exchange import Message
from ringfence.ike.header import VERSION_2, Flags, Header
from ringfence.ike.payload import Chain, decode_chain, encode_chain
from ringfence.ike.v2 import mobike
from ringfence.ike.v2.natt import Nat, marks
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import REGISTRY, NotifyPayload
from ringfence.net.address import AddressRange, Path, parse_address
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between

PATH = path_between("192.0.2.1", "192.0.2.2", 4500)
BACK = Path(PATH.remote, PATH.local)
OTHER, SIX = parse_address("198.51.100.1"), parse_address("2001:db8::1")
OWN = (PATH.local.address, OTHER, SIX)
ANYWHERE = (Ends(AddressRange.parse("0.0.0.0/0")), Ends(AddressRange.parse("::/0")))
((ENTRY,),) = (HostPolicy("192.0.2.1", "192.0.2.2", keying=(2,), mobike=True).compiled()[1].entries,)
ENTRY = replace(ENTRY, ends=ANYWHERE)


FIXED = replace(ENTRY, nat_traversal=False)


def chain(*payloads) -> Chain:
    return decode_chain(*encode_chain(payloads), REGISTRY, most_padding=0)


def kinds(payloads) -> list[int]:
    return [each.kind for each in payloads]


def test_where_else_we_are():
    assert [(each.kind, each.data) for each in mobike.additional(OWN, ENTRY, PATH)] == [(16397, OTHER), (16398, SIX)]
    assert mobike.additional(OWN[:1], ENTRY, PATH) == ()
    assert kinds(mobike.all_addresses(OWN[:1], ENTRY, PATH)) == [16399]
    assert len(mobike.additional([bytes([10, 0, 0, n]) for n in range(99)], ENTRY, PATH)) == mobike.MOST_ADDRESSES


def test_nowhere_where_the_policy_lets_no_such_peer_negotiate():
    here = (Ends(AddressRange.parse("0.0.0.0/0"), AddressRange.parse("192.0.2.1")),)
    assert mobike.additional(OWN, replace(ENTRY, ends=here), PATH) == ()
    four = replace(ENTRY, ends=ANYWHERE[:1])
    assert [each.data for each in mobike.additional(OWN, four, PATH)] == [OTHER]


def test_where_else_a_peer_is():
    assert mobike.addresses(chain(*mobike.additional(OWN, ENTRY, PATH))) == (OTHER, SIX)
    assert mobike.addresses(chain(NotifyPayload(Notify.NO_ADDITIONAL_ADDRESSES))) == ()
    assert mobike.addresses(chain(NotifyPayload(Notify.COOKIE2, bytes(8)))) is None
    wrong = NotifyPayload(Notify.ADDITIONAL_IP4_ADDRESS, SIX), NotifyPayload(Notify.ADDITIONAL_IP6_ADDRESS, b"")
    assert mobike.addresses(chain(*wrong)) == (), "an address of another length is none"
    many = [NotifyPayload(Notify.ADDITIONAL_IP4_ADDRESS, bytes([10, 0, 0, n])) for n in range(40)]
    assert len(mobike.addresses(chain(*many))) == mobike.MOST_ADDRESSES


def test_addresses_and_ports_that_nobody_may_change():
    notify = mobike.no_nats(PATH)
    assert (notify.kind, notify.data) == (16402, bytes.fromhex("c0000201 c0000202 1194 1194"))
    mobike.check_no_nats(chain(notify), BACK)
    mobike.check_no_nats(chain(), BACK)
    for path in (PATH, replace(BACK, remote=replace(BACK.remote, port=4501))):
        with pytest.raises(Answered) as refused:
            mobike.check_no_nats(chain(notify), path)
        assert refused.value.notify == Notify.UNEXPECTED_NAT_DETECTED == 41


def test_what_is_said_in_ike_auth():
    assert kinds(mobike.offer(ENTRY, OWN, PATH)) == [16396, 16397, 16398]
    assert kinds(mobike.offer(replace(ENTRY, nat_traversal=False), OWN[:1], PATH)) == [16396, 16402]
    off = replace(ENTRY, mobike=False)
    assert mobike.offer(off, OWN, PATH) == ()
    said = chain(*mobike.offer(ENTRY, OWN, PATH))
    assert kinds(mobike.answer(said, ENTRY, (PATH.remote.address,), BACK)) == [16396]
    assert mobike.answer(said, off, OWN, BACK) == ()
    assert mobike.answer(chain(), ENTRY, OWN, BACK) == ()
    assert mobike.agreed(said, ENTRY) == (OTHER, SIX)
    assert mobike.agreed(chain(NotifyPayload(Notify.MOBIKE_SUPPORTED)), ENTRY) == ()
    assert mobike.agreed(said, off) is mobike.agreed(chain(), ENTRY) is None
    changed = chain(*mobike.offer(replace(ENTRY, nat_traversal=False), OWN, PATH))
    with pytest.raises(Answered):
        mobike.answer(changed, ENTRY, OWN, PATH)


def ended(exchange, *reply):
    """What an exchange comes to, with that answer."""
    command = next(exchange)
    with pytest.raises(StopIteration) as stop:
        exchange.send(message(*reply))
    return command.payloads, stop.value.value


def message(*payloads):
    return Message(Header(bytes(8), bytes(8), 0, VERSION_2, Kind.INFORMATIONAL, Flags(0), 1), chain(*payloads))


SPIS = bytes(range(16))


def test_an_update_and_what_comes_of_it():
    said, result = ended(
        mobike.update(lambda: PATH, lambda: OWN[:1], SPIS, ENTRY),
        *marks(SPIS, path_between("9.9.9.9", "8.8.8.8")),
    )
    assert kinds(said) == [16400, 16399, 16388, 16389]
    assert result.path == PATH
    assert result.nat == Nat(local=True, remote=True)
    assert len(result.seen) == 20
    said, result = ended(
        mobike.update(lambda: PATH, lambda: OWN[:2], SPIS, FIXED),
        NotifyPayload(Notify.UNACCEPTABLE_ADDRESSES),
    )
    assert kinds(said) == [16400, 16397, 16402]
    assert result.refused.kind == 40


def test_the_path_is_the_one_of_the_moment_in_which_it_is_said():
    now = [PATH]
    exchange = mobike.update(lambda: now[0], lambda: (), SPIS, FIXED)
    now[0] = BACK
    assert next(exchange).payloads[-1].data == mobike.no_nats(BACK).data


def test_a_cookie_comes_back_or_not():
    cookie = NotifyPayload(Notify.COOKIE2, b"c" * 32)
    said, result = ended(mobike.prove(b"c" * 32, 7), cookie)
    assert [(each.kind, each.data) for each in said] == [(16401, b"c" * 32)]
    assert result == mobike.Proven(7)
    for other in (NotifyPayload(Notify.COOKIE2, b"d" * 32), NotifyPayload(Notify.NO_ADDITIONAL_ADDRESSES)):
        exchange = mobike.prove(b"c" * 32, 7)
        next(exchange)
        with pytest.raises(Aborted):
            exchange.send(message(other))


@pytest.mark.parametrize(("octets", "back"), [(7, 0), (8, 1), (64, 1), (65, 0)])
def test_what_is_sent_back(octets, back):
    found = mobike.returned(chain(NotifyPayload(Notify.COOKIE2, bytes(octets))))
    assert [each.data for each in found] == [bytes(octets)] * back
