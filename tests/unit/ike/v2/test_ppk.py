# SPDX-License-Identifier: Apache-2.0
"""What is said of postquantum preshared keys, and which keys count then."""

from dataclasses import replace

import pytest

from ringfence.databases.pad import Ppk
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2 import ppk
from ringfence.ike.v2.keys import Ends, derive
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import AuthPayload, NotifyPayload
from ringfence.secret import Secret
from ringfence.testing.hosts import FAST_MAIN, HostPolicy

KEY = Ppk("quantum", Secret(b"postquantum"))
OPTIONAL = replace(KEY, required=False)
(PLAIN,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
HAVING, MAYBE = replace(PLAIN, ppk=KEY), replace(PLAIN, ppk=OPTIONAL)
KEYS = derive(FAST_MAIN, Secret(b"x"), Ends(bytes(8), bytes(8), bytes(32), bytes(32)))
USE = NotifyPayload(Notify.USE_PPK)
NAME = NotifyPayload(Notify.PPK_IDENTITY, b"\2quantum")
AUTH = AuthPayload(2, b"with")


def chain(*payloads):
    return Chain(tuple(Decoded(payload, b"") for payload in payloads))


def test_numbers_are_those_of_the_rfc():
    assert (Notify.USE_PPK, Notify.PPK_IDENTITY, Notify.NO_PPK_AUTH) == (16435, 16436, 16437)


def test_who_says_that_it_has_such_keys():
    assert ppk.announcement((PLAIN,)) == ()
    assert ppk.announcement((PLAIN, MAYBE)) == (USE,)
    assert ppk.announcement((HAVING,), chain()) == ()
    assert ppk.announcement((HAVING,), chain(USE)) == (USE,)


def test_an_initiator_says_which():
    assert ppk.named(None, None) == ()
    assert ppk.named(KEY, None) == (NAME,)
    assert ppk.named(OPTIONAL, AUTH) == (NAME, NotifyPayload(Notify.NO_PPK_AUTH, b"with"))


def test_an_initiator_that_insists_stops():
    assert ppk.agreed(PLAIN, chain()) is None
    assert ppk.agreed(HAVING, chain(USE)) == KEY
    assert ppk.agreed(MAYBE, chain()) is None
    for theirs, served in ((chain(), True), (chain(USE), False)):
        with pytest.raises(Aborted) as raised:
            ppk.agreed(HAVING, theirs, served=served)
        assert raised.value.reason is Reason.NO_PPK


def test_which_keys_count_after_the_answer():
    assert ppk.taken(chain(), None, KEYS) is KEYS
    assert ppk.taken(chain(), OPTIONAL, KEYS) is KEYS
    assert ppk.taken(chain(NotifyPayload(Notify.PPK_IDENTITY)), OPTIONAL, KEYS).d == KEYS.mixed(KEY.key).d
    with pytest.raises(Aborted, match='"quantum"'):
        ppk.taken(chain(), KEY, KEYS)


def test_a_responder_that_knows_the_name_mixes():
    understood = ppk.understood(chain(AUTH, NAME), chain(USE), KEYS, (PLAIN, MAYBE, HAVING))
    assert understood.keys.d == KEYS.mixed(KEY.key).d
    assert understood.entries == (MAYBE, HAVING)
    assert understood.words == (NotifyPayload(Notify.PPK_IDENTITY),)
    assert understood.chain.one(AuthPayload) == AUTH


def test_a_responder_that_does_not_takes_the_second_proof():
    said = chain(AUTH, replace(NAME, data=b"\2other"), NotifyPayload(Notify.NO_PPK_AUTH, b"without"))
    understood = ppk.understood(said, chain(USE), KEYS, (PLAIN, MAYBE, HAVING))
    assert understood.keys is KEYS
    assert understood.entries == (PLAIN, MAYBE)
    assert understood.words == ()
    assert understood.chain.one(AuthPayload).data == b"without"


@pytest.mark.parametrize(
    ("said", "entries"),
    [
        ((AUTH,), (HAVING,)),
        ((AUTH, replace(NAME, data=b"\2other")), (PLAIN, MAYBE)),
        ((AUTH, replace(NAME, data=b"\1quantum")), (MAYBE,)),
        ((AUTH, replace(NAME, data=b"\2other"), NotifyPayload(Notify.NO_PPK_AUTH, b"x")), (HAVING,)),
        ((NAME,), (HAVING,)),
    ],
    ids=["no name", "unknown name", "name of another type", "second proof", "no proof, as with EAP"],
)
def test_who_is_not_let_in(said, entries):
    with pytest.raises(Aborted) as raised:
        ppk.understood(chain(*said), chain(USE), KEYS, entries)
    assert raised.value.reason is Reason.NO_PPK


def test_a_name_that_nobody_has_agreed_on_is_none():
    understood = ppk.understood(chain(AUTH, NAME), chain(), KEYS, (MAYBE,))
    assert understood.keys is KEYS
    assert understood.entries == (MAYBE,)
