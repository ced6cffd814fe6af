# SPDX-License-Identifier: Apache-2.0
"""Which ways a peer takes (RFC 9593): the octets, what we announce, and what that chooses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.authority import authority, new_key

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import SCHEMES, KeyKind, PrivateKey, Scheme
from ringfence.databases.certification import CertificateAuth
from ringfence.databases.eap import EapAuth, EapMethod
from ringfence.databases.pad import NullAuth, PadEntry, PresharedKey
from ringfence.databases.rawkeys import KnownKey, OwnKey, PublicKeyAuth
from ringfence.databases.spd import Origin
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.announcing import MOST, Announcement, decode, heard, said, suits
from ringfence.ike.v2.certificates import requests
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.secret import Secret

ROOT, OTHER = authority(), authority("CN=Other CA")
KEY, NULL = PresharedKey(Secret(b"key")), NullAuth()
P256 = CertificateAuth("CN=Lab CA", KeyKind.P256, (ROOT.der,))
RSA = CertificateAuth("CN=Other CA", KeyKind.RSA, (OTHER.der,))
INFO = PrivateKey(new_key("ed25519")).public_info
RAW = PublicKeyAuth((KnownKey("peer.pub", INFO),), OwnKey("own.key", INFO))
EAP = EapAuth((EapMethod.MSCHAPV2,))
PSS = SCHEMES[Scheme.PSS_SHA256].identifier


def announced(*ways, sha1=False):
    entry = PadEntry("peers", (), ways, (), Origin("rule"), sha1=sha1)
    return heard(Chain(tuple(Decoded(one, b"") for one in said([entry], requests(ways)))))


def test_the_octets():
    """RFC 9593 §3.2: length, method; and the place of an authority; and an AlgorithmIdentifier."""
    assert Announcement(2).encode() == bytes((2, 2))
    assert Announcement(9, 1).encode() == bytes((3, 9, 1))
    assert Announcement(14, 0, PSS).encode() == bytes((3 + len(PSS), 14, 0)) + PSS


def test_what_is_malformed_ends_the_list():
    assert list(decode(bytes((2, 2, 3, 9, 1)))) == [Announcement(2), Announcement(9, 1)]
    for rest in (b"\0\2", b"\1", b"\2", b"\5\1\0"):
        assert list(decode(bytes((2, 13)) + rest)) == [Announcement(13)]
    assert len(list(decode(bytes((2, 2)) * 500))) == MOST


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_any_octets_are_read(data):
    assert b"".join(one.encode() for one in decode(data)) == data[: sum(len(one.encode()) for one in decode(data))]


def test_what_is_announced():
    found = announced(KEY, P256, RSA, NULL)
    assert {Announcement(2), Announcement(13), Announcement(9, 1), Announcement(14, 2, PSS)} <= found
    assert Announcement(1, 2) not in found
    assert Announcement(1, 2) in announced(KEY, RSA, P256, sha1=True) | announced(KEY, P256, RSA, sha1=True)
    assert Certificate.read(ROOT.der).key_id != Certificate.read(OTHER.der).key_id


def test_nothing_where_there_is_no_choice():
    assert announced(KEY) is None
    assert announced(EAP, EapAuth((EapMethod.TLS,))) is None


def test_an_authority_that_is_not_named_is_any():
    hidden = CertificateAuth("CN=Lab CA", KeyKind.P256, (ROOT.der,), asks_by_name=False)
    assert Announcement(9, 0) in announced(hidden, KEY)


@pytest.mark.parametrize("way", [KEY, NULL, P256, RSA, RAW])
def test_each_way_suits_who_announces_it_and_nobody_else(way):
    others = [one for one in (KEY, NULL, P256, RSA, RAW) if one is not way]
    assert suits(way, announced(way, others[0]))
    assert not suits(way, announced(*others))
    assert suits(way, None)
    assert suits(EAP, announced(*others))


def test_an_empty_announcement_is_none():
    """Whoever says it in IKE_INTERMEDIATE instead."""
    empty = Decoded(NotifyPayload(Notify.SUPPORTED_AUTH_METHODS, b""), b"")
    assert heard(Chain((empty,))) is None
