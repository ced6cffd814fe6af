# SPDX-License-Identifier: Apache-2.0
"""What mode config and XAUTH say."""

from dataclasses import replace

import pytest

from ringfence.databases.eap import EapUser, Users
from ringfence.databases.pool import Asks, Pool
from ringfence.ike.isakmp import Attribute
from ringfence.ike.v1.modeconfig import (
    Form,
    User,
    acknowledgement,
    ask_address,
    ask_user,
    asks_user,
    give_address,
    is_user,
    pairs,
    payload,
    status,
    status_of,
    tell_user,
)
from ringfence.ike.v1.payloads import AttributesPayload
from ringfence.ike.v2.configuration import given_by
from ringfence.net.address import AddressRange, parse_address
from ringfence.secret import Secret
from ringfence.wire import DecodeError

ALICE = EapUser("alice", Secret(b"open sesame"))
USERS = Users("list", {
    "alice": Secret(b"open sesame"), "empty": Secret(b""), "hashed": Secret(b"0123456789abcdef", exact=True),
})  # fmt: skip
POOL = Pool("people", (AddressRange.parse("10.9.0.0/24"),), dns=(parse_address("10.1.0.53"),))


def told(name, password):
    return payload(Form.REPLY, [(User.NAME, name), (User.PASSWORD, password)])


def test_the_octets_of_a_question():
    assert ask_user().encode() == bytes.fromhex("01000000 40890000 408a0000")
    assert AttributesPayload.decode(ask_user().encode()) == ask_user()
    assert status(passed=True).encode() == bytes.fromhex("03000000 c08f0001")


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_what_it_is_filled_up_with_says_nothing(zeros):
    octets = status(passed=True).encode()[:-4] + bytes.fromhex("4089") + (4 - zeros).to_bytes(2) + b"bob!"[: 4 - zeros]
    (one,) = AttributesPayload.decode(octets + bytes(zeros)).attributes
    assert one == Attribute(User.NAME, b"bob!"[: 4 - zeros])
    with pytest.raises(DecodeError):
        AttributesPayload.decode(octets + b"\1")


def test_a_user_is_asked_and_known_by_his_answer():
    assert asks_user(ask_user())
    assert not asks_user(payload(Form.REQUEST, [(1, b"")]))
    assert is_user(tell_user(ask_user(), ALICE), USERS) == "alice"


NOBODY = {
    "another password": told(b"alice", b"open says me"),
    "no password": told(b"alice", b""),
    "an empty one that is in the list": told(b"empty", b""),
    "a hash is no password": told(b"hashed", b"0123456789abcdef"),
    "nobody knows him": told(b"mallory", bytes(16)),
    "no name": told(b"", b"open sesame"),
    "too long": told(b"alice", b"open sesame" + bytes(300)),
    "no answer": replace(told(b"alice", b"open sesame"), kind=Form.REQUEST),
    "a part": payload(Form.REPLY, [(User.NAME, b"alice")]),
}


@pytest.mark.parametrize("answer", NOBODY.values(), ids=NOBODY)
def test_nobody(answer):
    assert is_user(answer, USERS) == ""


@pytest.mark.parametrize("kind", [User.PASSCODE, User.CHALLENGE, User.DOMAIN])
def test_more_than_a_password_is_not_told(kind):
    asked = payload(Form.REQUEST, [(User.NAME, b""), (kind, b"")])
    assert tell_user(asked, ALICE) is None


def test_the_kind_of_question_is_repeated():
    generic = AttributesPayload(Form.REQUEST, 9, (Attribute(User.TYPE, 0), Attribute(User.NAME, b"")))
    answer = tell_user(generic, ALICE)
    assert answer.identifier == 9
    assert answer.attributes[0] == Attribute(User.TYPE, 0)
    assert tell_user(replace(generic, attributes=(Attribute(User.TYPE, 2),)), ALICE) is None


def test_the_verdict():
    assert status_of(status(passed=True)) is True
    assert status_of(status(passed=False)) is False
    assert status_of(ask_user()) is None
    assert status_of(replace(status(passed=True), kind=Form.ACK)) is None
    heard = acknowledgement(replace(status(passed=True), identifier=7))
    assert (heard.kind, heard.identifier, [one.kind for one in heard.attributes]) == (Form.ACK, 7, [User.STATUS])


def test_an_address_is_asked_for_and_given():
    asked = ask_address(Asks((4, 6)), (parse_address("10.9.0.7"), parse_address("fd00::7")))
    kinds = [kind for kind, _ in pairs(asked)]
    assert kinds[0] == 1
    assert 8 not in kinds, "of IPv4 alone"
    assert dict(pairs(asked))[1] == parse_address("10.9.0.7")
    reply = give_address(replace(asked, identifier=5), POOL, (parse_address("10.9.0.7"),), ())
    assert (reply.kind, reply.identifier) == (Form.REPLY, 5)
    given = given_by(pairs(reply), Asks((4,)))
    assert (given.addresses, given.dns) == ((parse_address("10.9.0.7"),), (parse_address("10.1.0.53"),))
    assert ask_address(Asks((6,)), ()) is None
