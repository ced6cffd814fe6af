# SPDX-License-Identifier: Apache-2.0
"""Postquantum preshared keys in IKE_INTERMEDIATE: names, what confirms them, and keys, computed a second time here."""

import hmac
from dataclasses import replace

import pytest

from ringfence.databases.pad import Ppk
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2 import mixing
from ringfence.ike.v2.keys import Ends, derive
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.secret import Secret
from ringfence.testing.hosts import FAST_MAIN, HostPolicy

KEY = Ppk("quantum", Secret(b"postquantum"))
OPTIONAL = replace(KEY, required=False)
OTHER = Ppk("other", Secret(b"something else"))
(PLAIN,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
HAVING, MAYBE, HAS_OTHER = replace(PLAIN, ppk=KEY), replace(PLAIN, ppk=OPTIONAL), replace(PLAIN, ppk=OTHER)
ENDS = Ends(b"initiato", b"responde", b"i" * 32, b"r" * 32)
KEYS = derive(FAST_MAIN, Secret(b"x"), ENDS)
NAME = b"\2quantum"
PROVEN = hmac.digest(b"postquantum", b"i" * 32 + b"r" * 32 + b"initiatoresponde", "sha256")[:8]


def chain(*payloads):
    return Chain(tuple(Decoded(payload, b"") for payload in payloads))


def name(data, kind=Notify.PPK_IDENTITY_KEY):
    return NotifyPayload(kind, data)


def test_numbers_are_those_of_the_rfc():
    assert (Notify.USE_PPK_INT, Notify.PPK_IDENTITY_KEY) == (16445, 16446)


def test_who_can_do_it():
    use = NotifyPayload(16445)
    assert mixing.offered((PLAIN,)) == ()
    assert mixing.offered((PLAIN, MAYBE)) == (use,)
    assert mixing.granted((HAVING,), chain(use), intermediate=True) == (use,)
    assert mixing.granted((HAVING,), chain(use), intermediate=False) == ()
    assert mixing.granted((HAVING,), chain(), intermediate=True) == ()
    assert mixing.granted((PLAIN,), chain(use), intermediate=True) == ()


def test_a_name_comes_with_what_confirms_it():
    assert mixing.named(KEY, KEYS) == (name(NAME + PROVEN),)


def test_all_keys_come_of_it():
    """RFC 9867 §3.3.1, from the formulas."""

    def plus(key, seed, octets):
        block, out = b"", b""
        for number in range(1, 1 + -(-octets // 32)):
            block = hmac.digest(key, block + seed + bytes([number]), "sha256")
            out += block
        return out[:octets]

    seed = plus(b"postquantum", KEYS.d.reveal(), 32)
    whole = plus(seed, b"i" * 32 + b"r" * 32 + b"initiatoresponde", 7 * 32)
    mixed = KEYS.mixed_whole(KEY.key)
    found = mixed.d, mixed.ai, mixed.ar, mixed.ei, mixed.er, mixed.pi, mixed.pr
    assert b"".join(each.reveal() for each in found) == whole


def test_an_initiator_takes_what_it_has_named():
    assert mixing.is_taken(chain(name(NAME, Notify.PPK_IDENTITY)), KEY)
    assert not mixing.is_taken(chain(), OPTIONAL)


@pytest.mark.parametrize(
    ("answer", "ppk"),
    [
        (chain(), KEY),
        (chain(NotifyPayload(Notify.AUTHENTICATION_FAILED)), OPTIONAL),
        (chain(name(b"\2other", Notify.PPK_IDENTITY)), OPTIONAL),
        (chain(name(NAME, Notify.PPK_IDENTITY), name(NAME, Notify.PPK_IDENTITY)), OPTIONAL),
    ],
)
def test_an_initiator_takes_nothing_else(answer, ppk):
    with pytest.raises(Aborted) as raised:
        mixing.is_taken(answer, ppk)
    assert raised.value.reason is Reason.NO_PPK


def test_a_responder_takes_the_first_that_it_knows():
    unknown, wrong, right = name(b"\2unknown" + PROVEN), name(NAME + bytes(8)), name(NAME + PROVEN)
    chosen = mixing.choose(chain(unknown, wrong, right), KEYS, (PLAIN, HAS_OTHER, HAVING, MAYBE))
    assert chosen.ppk is KEY
    assert chosen.entries == (HAVING, MAYBE)
    assert chosen.words == (name(NAME, Notify.PPK_IDENTITY),)


@pytest.mark.parametrize("data", [b"", b"\2", NAME, NAME + bytes(8), b"\1quantum" + PROVEN, PROVEN])
def test_another_key_is_none_and_who_need_not_have_one_goes_on(data):
    chosen = mixing.choose(chain(name(data)), KEYS, (PLAIN, HAVING, MAYBE))
    assert chosen == mixing.Chosen(None, (PLAIN, MAYBE), ())


@pytest.mark.parametrize("said", [chain(), chain(name(NAME + bytes(8)))])
def test_a_responder_that_insists_ends_it(said):
    with pytest.raises(Aborted) as raised:
        mixing.choose(said, KEYS, (HAVING,))
    assert raised.value.reason is Reason.NO_PPK


def test_names_are_bounded():
    many = [name(b"\2unknown" + PROVEN)] * mixing.MOST_NAMES
    assert mixing.choose(chain(*many, name(NAME + PROVEN)), KEYS, (MAYBE,)).ppk is None
