# SPDX-License-Identifier: Apache-2.0
"""What IKE_AUTH stands on; what both sides prove with is held to the RFC in test_keys.py."""

from types import SimpleNamespace

from ringfence.databases.identity import Identity, IdentityKind
from ringfence.ike.isakmp import IdType
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.begun import Begun
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import IdInitiatorPayload, IdResponderPayload, NotifyPayload
from ringfence.net.address import Endpoint, Path

PATH = Path(Endpoint(bytes((192, 0, 2, 1)), 500), Endpoint(bytes((192, 0, 2, 2)), 500))


def begun(*first):
    keys = SimpleNamespace(signed=lambda octets, body, *, initiator: (octets, body, initiator))
    theirs = SimpleNamespace(chain=Chain(tuple(Decoded(one, b"") for one in first)), octets=b"theirs")
    return Begun(1, PATH, keys, b"ours", theirs, None, bytes(16))


def test_each_side_proves_with_its_own_message_and_name():
    mine, theirs = IdInitiatorPayload(IdType.FQDN, b"alice.lab"), IdResponderPayload(IdType.FQDN, b"bob.lab")
    assert begun().signed_by_us(mine) == (b"ours", mine.encode(), True)
    said = begun().said(Chain(()), theirs)
    assert said.signed == (b"theirs", theirs.encode(), False)
    assert (said.identity, said.inner) == (Identity.parse("bob.lab"), False)


def test_who_says_no_name_is_known_by_the_address():
    said = begun().said(Chain(()), IdInitiatorPayload(IdType(IdentityKind.NULL.value), b""))
    assert said.identity == Identity(IdentityKind.NULL, PATH.remote.address)


def test_the_peers_hashes_are_those_of_its_first_message():
    data = (2).to_bytes(2) + (99).to_bytes(2)
    assert begun(NotifyPayload(Notify.SIGNATURE_HASH_ALGORITHMS, data)).hashes == {2}
