# SPDX-License-Identifier: Apache-2.0
"""Two engines on a wire: from a packet that waits to a pair of SAs with the same keys at both ends."""

import pytest

from protocol.pairs import POLICY, assert_nothing_left, assert_one_pair, pair
from ringfence.audit import MainModeEstablished, MessageExchanged, QuickModeEstablished
from ringfence.crypto.suites import GROUPS, Authenticator, Cipher, DhGroup, Encryption, Hash, Integrity
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.proposal import IkeProposal, Protocol, Transform
from ringfence.databases.sa import Mode
from ringfence.ike.effects import InstallInbound, InstallOutbound, SendMessage
from ringfence.ike.lifetime import IkeState
from ringfence.testing.hosts import AH_SHA256, ESP_CBC, ESP_GCM, FAST_MAIN, method


def test_a_packet_leads_to_a_contract():
    both = pair()
    both.wish(both.a)
    both.run(1)
    a, b = assert_one_pair(both)
    assert a.selector == POLICY.selector
    assert b.selector == POLICY.selector.reversed()
    assert a.entry == b.entry == "lab"
    assert str(a.peer) == POLICY.remote
    assert [len(host.of(MainModeEstablished)) for host in (both.a, both.b)] == [1, 1]
    assert [len(host.of(QuickModeEstablished)) for host in (both.a, both.b)] == [1, 1]
    (info,) = both.a.engine.ike_sas()
    assert info.state is IkeState.ESTABLISHED
    assert info.children == (a.id,)
    assert info.expires_at == pytest.approx(28800, abs=1)


def test_messages_are_those_of_rfc_2409():
    both = pair()
    both.wish(both.a)
    both.run(1)
    said = [(event.exchange, event.number, event.payloads, event.encrypted) for event in both.a.of(MessageExchanged)]
    assert said == [
        ("main mode", 1, "SA VID VID VID VID VID VID VID VID", False),
        ("main mode", 2, "SA VID VID VID VID", False),
        ("main mode", 3, "KE NONCE NAT-D NAT-D", False),
        ("main mode", 4, "KE NONCE NAT-D NAT-D", False),
        ("main mode", 5, "ID HASH N(INITIAL-CONTACT)", True),
        ("main mode", 6, "ID HASH N(INITIAL-CONTACT)", True),
        ("quick mode", 1, "HASH SA NONCE ID ID", True),
        ("quick mode", 2, "HASH SA NONCE ID ID", True),
        ("quick mode", 3, "HASH", True),
    ]


def test_inbound_comes_before_the_message_that_needs_it():
    both = pair()
    both.wish(both.a)
    both.run(1)
    for host, messages in ((both.a, 1), (both.b, 1)):
        effects = [effect for _, effect in host.timeline]
        inbound = next(at for at, each in enumerate(effects) if isinstance(each, InstallInbound))
        outbound = next(at for at, each in enumerate(effects) if isinstance(each, InstallOutbound))
        assert sum(isinstance(each, SendMessage) for each in effects[inbound:outbound]) == messages


def test_the_same_seed_gives_the_same_octets():
    def octets(seed: str) -> list[bytes]:
        both = pair(seed=seed)
        both.wish(both.a)
        both.run(1)
        return [datagram for _, _, datagram in both.network.seen]

    assert octets("one") == octets("one")
    assert octets("one") != octets("two")


SHA512 = Authenticator(Integrity.HMAC_SHA512_256)
MD5 = Authenticator(Integrity.HMAC_MD5_96)
SUITES = [
    ((ESP_GCM,), Mode.TRANSPORT, None),
    ((ESP_CBC,), Mode.TUNNEL, None),
    ((AH_SHA256,), Mode.TRANSPORT, None),
    ((AH_SHA256,), Mode.TUNNEL, DhGroup.ECP_256),
    ((ESP_CBC, AH_SHA256), Mode.TRANSPORT, None),
    ((ESP_CBC, AH_SHA256), Mode.TUNNEL, DhGroup.CURVE25519),
    ((ESP_GCM,), Mode.TUNNEL, DhGroup.MODP_2048),
    ((Transform(Protocol.ESP, Cipher(Encryption.AES_GCM_16, 128), None, esn=True),), Mode.TRANSPORT, None),
    ((Transform(Protocol.ESP, Cipher(Encryption.CHACHA20_POLY1305, 256)),), Mode.TRANSPORT, None),
    ((Transform(Protocol.ESP, Cipher(Encryption.NULL, 0), SHA512),), Mode.TUNNEL, None),
    ((Transform(Protocol.AH, None, Authenticator(Integrity.AES_GMAC, 16)),), Mode.TRANSPORT, None),
    ((Transform(Protocol.ESP, Cipher(Encryption.NULL_AES_GMAC, 192)),), Mode.TRANSPORT, None),
    ((Transform(Protocol.ESP, Cipher(Encryption.TRIPLE_DES, 192), MD5),), Mode.TRANSPORT, None),
]  # fmt: skip


@pytest.mark.parametrize(("transforms", "mode", "pfs"), SUITES)
def test_every_kind_of_contract(transforms, mode, pfs):
    nets = {"local_net": "10.1.0.0/16", "remote_net": "10.2.0.0-10.2.3.9"} if mode is Mode.TUNNEL else {}
    both = pair(POLICY.with_(methods=(method(*transforms),), mode=mode, pfs=pfs, **nets))
    both.wish(both.b)
    both.run(2)
    a, _ = assert_one_pair(both)
    assert [sa.protocol for sa in a.outbound] == [each.protocol for each in transforms]
    assert [sa.mode for sa in a.outbound] == [mode, *[Mode.TRANSPORT] * (len(transforms) - 1)]
    assert all(sa.cipher == each.cipher for sa, each in zip(a.outbound, transforms, strict=True))
    assert all(sa.esn == each.esn for sa, each in zip(a.inbound, transforms, strict=True))
    spis = [sa.spi for sa in (*a.outbound, *a.inbound)]
    assert len(set(spis)) == len(spis)


@pytest.mark.parametrize(
    "proposal",
    [
        *(IkeProposal(FAST_MAIN.cipher, name, DhGroup.ECP_256) for name in Hash),
        *(IkeProposal(Cipher(Encryption.AES_CBC, bits), Hash.SHA1, DhGroup.CURVE25519) for bits in (128, 192, 256)),
        *(IkeProposal(FAST_MAIN.cipher, Hash.SHA256, group) for group in DhGroup if group.value < 18),
        *(
            IkeProposal(FAST_MAIN.cipher, Hash.SHA384, group)
            for group in DhGroup
            if group.value > 18 and not GROUPS[group].encapsulates
        ),
        IkeProposal(Cipher(Encryption.TRIPLE_DES, 192), Hash.SHA1, DhGroup.MODP_1024),
        IkeProposal(Cipher(Encryption.TRIPLE_DES, 192), Hash.MD5, DhGroup.MODP_1024),
    ],
    ids=str,
)
def test_every_kind_of_main_mode(proposal):
    both = pair(POLICY.with_(main=(proposal,)))
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)
    (info,) = both.b.engine.ike_sas()
    assert info.proposal == proposal


def test_the_responder_takes_its_own_first_choice():
    first, second = FAST_MAIN, IkeProposal(FAST_MAIN.cipher, Hash.SHA512, DhGroup.ECP_384)
    both = pair(POLICY.with_(main=(first, second)), POLICY.mirrored().with_(main=(second, first)))
    both.wish(both.a)
    both.run(1)
    assert [host.engine.ike_sas()[0].proposal for host in (both.a, both.b)] == [second, second]


IDENTITIES = [
    Identity(IdentityKind.FQDN, b"Host.Example"),
    Identity(IdentityKind.USER_FQDN, b"alice@corp.example"),
    Identity(IdentityKind.DN, bytes.fromhex("300d310b3009060355040613024445")),
    Identity(IdentityKind.KEY_ID, b"\x01\x02"),
    Identity.of_address(bytes([10, 0, 0, 1])),
]


@pytest.mark.parametrize("identity", IDENTITIES, ids=str)
def test_every_kind_of_identity(identity):
    both = pair(POLICY.with_(local_identity=identity))
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)
    assert both.b.engine.ike_sas()[0].remote_identity == identity


def test_ipv6():
    both = pair(POLICY.with_(local="2001:db8::1", remote="2001:db8::2"))
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)


def test_the_end_leaves_nothing():
    both = pair()
    both.wish(both.a)
    both.run(1)
    both.network.do(both.a, both.a.engine.shut_down(both.network.now))
    both.run(1)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)
