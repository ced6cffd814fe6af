# SPDX-License-Identifier: Apache-2.0
"""Two engines prove themselves by keys without certificates, in both versions of IKE; and how nobody else does."""

from dataclasses import replace

import pytest
from lab.authority import NOW, new_key

from protocol.pairs import POLICY, A, B, assert_one_pair, pair
from protocol.test_certificates import ALICE, BOB, KEY, own, way
from ringfence.audit import MainModeEstablished, MainModeFailed, MessageExchanged
from ringfence.credentials.keeper import LocalKeeper
from ringfence.crypto.certificate import Certificate
from ringfence.crypto.rawkeys import fingerprint
from ringfence.crypto.signature import PrivateKey
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.identity import Identity
from ringfence.databases.rawkeys import KnownKey, OwnKey, PublicKeyAuth
from ringfence.ike.errors import Reason
from ringfence.ike.v2 import signatures

V1, V2 = POLICY, POLICY.with_(keying=(2,))
BOTH = pytest.mark.parametrize("policy", [V1, V2], ids=["IKEv1", "IKEv2"])
KINDS = {1: ["rsa", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"]}
KINDS[2] = [*KINDS[1], "ed25519", "ed448"]
EACH = [(policy, kind) for number, policy in ((1, V1), (2, V2)) for kind in KINDS[number]]
KEYS = {name: PrivateKey(new_key("ecdsa-p256")) for name in ("alice", "bob", "mallory")}


def mine(key):
    return OwnKey("own.key", key.public_info)


def known(key, name=None, *, by_fingerprint=False):
    identity = None if name is None else Identity.parse(name)
    if by_fingerprint:
        return KnownKey("sha256:", mark=fingerprint(key.public_info), identity=identity)
    return KnownKey("peer.pub", key.public_info, identity=identity)


def raw(key, *peers):
    return PublicKeyAuth(tuple(peers), mine(key))


def meet(a, b, policy=V2, other=None, keys=None, issued=(), seconds=30, **names):
    """Two hosts with these ways; ``a`` begins. ``local`` and ``remote`` are alice's identities."""
    policy = replace(policy, auth=a, **names)
    other = replace(other or replace(policy, local_identity=None, remote_identity=None).mirrored(), auth=b)
    both = pair(policy, other)
    signers = {f"key:{fingerprint(one.public_info).hex()}": one for one in (keys or KEYS).values()}
    signers |= {Certificate.read(one.der).thumbprint(): PrivateKey(one.key) for one in issued}
    for host in (both.a, both.b):
        host.keeper = LocalKeeper(lambda: NOW)
        host.keeper.hold(signers)
    both.wish(both.a)
    both.run(seconds)
    return both


ALICE_WAY = raw(KEYS["alice"], known(KEYS["bob"]))
BOB_WAY = raw(KEYS["bob"], known(KEYS["alice"]))


def reasons(host):
    return {one.reason for one in host.of(MainModeFailed)}


def nobody(both):
    assert both.a.using() is both.b.using() is None
    assert not [one for host in (both.a, both.b) for one in host.engine.ike_sas() if one.remote_identity is not None]


@BOTH
def test_both_prove_themselves(policy):
    both = meet((ALICE_WAY,), (BOB_WAY,), policy)
    assert_one_pair(both)
    [a], [b] = both.a.of(MainModeEstablished), both.b.of(MainModeEstablished)
    assert (a.local_identity, a.remote_identity) == (b.remote_identity, b.local_identity) == (A, B)


@pytest.mark.parametrize(("policy", "kind"), EACH)
def test_each_kind_of_key(policy, kind):
    keys = {name: PrivateKey(new_key(kind, number)) for number, name in enumerate(("alice", "bob"), 1)}
    ways = raw(keys["alice"], known(keys["bob"])), raw(keys["bob"], known(keys["alice"]))
    assert_one_pair(meet((ways[0],), (ways[1],), policy, keys=keys))


def test_who_asks_is_shown_the_key_and_who_does_not_knows_it():
    """RFC 7670 §3: CERTREQ with encoding 15 asks, CERT with encoding 15 shows."""
    both = meet((ALICE_WAY,), (BOB_WAY,))
    said = [one.payloads for one in both.a.of(MessageExchanged)]
    assert "CERTREQ" in said[1]
    assert said[2].startswith("IDi AUTH CERT CERTREQ")
    assert said[3].startswith("IDr AUTH CERT")


@pytest.mark.parametrize("kind", ["rsa", "ecdsa-p256"])
def test_a_fingerprint_will_do_in_ikev2(kind):
    keys = {name: PrivateKey(new_key(kind, number)) for number, name in enumerate(("alice", "bob"), 1)}
    ways = (raw(keys["alice"], known(keys["bob"], by_fingerprint=True)),
            raw(keys["bob"], known(keys["alice"], by_fingerprint=True)))  # fmt: skip
    assert_one_pair(meet((ways[0],), (ways[1],), keys=keys))


def test_a_fingerprint_alone_is_not_enough_in_ikev1_and_it_is_said_why():
    ways = (ALICE_WAY,), (raw(KEYS["bob"], known(KEYS["alice"], by_fingerprint=True)),)
    both = meet(*ways, V1)
    nobody(both)
    assert Reason.BAD_CERTIFICATE.value in reasons(both.b)


@BOTH
def test_names_beside_the_keys_are_proved_by_them(policy):
    """Without any other word in the policy, whoever the table names is welcome by his name."""
    bob = raw(KEYS["bob"], known(KEYS["mallory"], "carol.lab"), known(KEYS["alice"], "alice.lab"))
    other = replace(policy, local_identity=Identity.parse("bob.lab")).mirrored()
    other = replace(other, local_identity=Identity.parse("bob.lab"), remote_identity=None)
    alice = raw(KEYS["alice"], known(KEYS["bob"], "bob.lab"))
    both = meet((alice,), (bob,), policy, other, local_identity=Identity.parse("alice.lab"))
    assert_one_pair(both)
    assert both.b.of(MainModeEstablished)[0].remote_identity == "alice.lab"


# How somebody else does not ------------------------------------------------------------------------------------------


@BOTH
def test_another_key_is_refused_on_both_sides(policy):
    both = meet((raw(KEYS["mallory"], known(KEYS["bob"])),), (BOB_WAY,), policy)
    nobody(both)
    assert reasons(both.b) & {Reason.UNTRUSTED.value, Reason.WRONG_SIGNATURE.value}
    both = meet((ALICE_WAY,), (raw(KEYS["mallory"], known(KEYS["alice"])),), policy)
    assert both.a.using() is None
    assert reasons(both.a) & {Reason.UNTRUSTED.value, Reason.WRONG_SIGNATURE.value}


@BOTH
def test_who_has_a_key_is_nobody_else_by_it(policy):
    """Each key proves its own name only, and a key that nobody is named for none that another key has."""
    bob = raw(KEYS["bob"], known(KEYS["mallory"], "mallory.lab"), known(KEYS["alice"], "alice.lab"))
    other = replace(policy, local_identity=None).mirrored()
    names = {"local_identity": Identity.parse("alice.lab")}
    both = meet(
        (raw(KEYS["mallory"], known(KEYS["bob"])),), (bob,), policy, replace(other, remote_identity=None), **names
    )
    nobody(both)
    assert reasons(both.b) & {Reason.WRONG_IDENTITY.value, Reason.WRONG_SIGNATURE.value}
    loose = raw(KEYS["bob"], known(KEYS["mallory"])), raw(KEYS["bob"], known(KEYS["alice"], "alice.lab"))
    terms = {"admissions": (Admission((Pattern("*.lab"),)),)}
    both = meet((raw(KEYS["mallory"], known(KEYS["bob"])),), loose, policy, replace(other, **terms), **names)
    nobody(both)
    assert Reason.WRONG_IDENTITY.value in reasons(both.b)


def test_a_key_that_is_shown_has_to_have_signed(monkeypatch):
    """Mallory shows Alice's key, and signs by her own."""
    monkeypatch.setattr(OwnKey, "id", property(lambda self: _signer(self)))
    both = meet((ALICE_WAY,), (BOB_WAY,))
    nobody(both)
    assert reasons(both.b) == {Reason.WRONG_SIGNATURE.value}


def _signer(key):
    other = KEYS["mallory"] if key.info == KEYS["alice"].public_info else KEYS["bob"]
    return f"key:{fingerprint(other.public_info).hex()}"


def test_nobody_takes_the_name_from_a_certificate_and_the_key_from_elsewhere():
    """A message with a certificate is about that certificate, which needs an authority."""
    both = meet((way(own(ALICE)),), (BOB_WAY,), issued=(ALICE, BOB))
    nobody(both)
    both = meet((raw(KEYS["mallory"], known(KEYS["bob"])), KEY), (way(own(BOB)),), issued=(ALICE, BOB))
    assert both.b.using() is None


def test_a_preshared_key_is_no_public_key():
    """Nor does who knows the preshared key of another rule come in by a rule for public keys, or the other way."""
    for ways in (((KEY,), (BOB_WAY,)), ((ALICE_WAY,), (KEY,))):
        both = meet(*ways)
        nobody(both)
        assert reasons(both.b) == {Reason.WRONG_METHOD.value}


def test_rsa_with_sha1_needs_a_word_of_the_policy(monkeypatch):
    keys = {name: PrivateKey(new_key("rsa", number)) for number, name in enumerate(("alice", "bob"), 1)}
    ways = raw(keys["alice"], known(keys["bob"])), raw(keys["bob"], known(keys["alice"]))
    monkeypatch.setattr(signatures, "announced", lambda _first: frozenset())
    both = meet((ways[0],), (ways[1],), keys=keys)
    nobody(both)
    assert reasons(both.a) == {Reason.WRONG_METHOD.value}
