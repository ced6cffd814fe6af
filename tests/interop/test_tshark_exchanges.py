# SPDX-License-Identifier: Apache-2.0
"""tshark as a witness of whole negotiations: with our key log it decrypts every message of them, and tells the same.

tshark derives nothing but IVs, from what it sees: so the key, the IV of every message and the padding are right where
it can read. Two engines talk in memory; what they sent is the capture.
"""

from pathlib import Path

import pytest
from lab.fixtures import unavailable
from lab.tshark import Dissected, dissect, missing
from protocol.pairs import POLICY, Pair, pair
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from ringfence.capture.keylog import KeyLog
from ringfence.crypto.suites import GROUPS, HASH, Authenticator, Cipher, DhGroup, Encryption, Hash, Integrity
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.proposal import IkeProposal, Protocol, Transform
from ringfence.databases.sa import Mode
from ringfence.ike.v1.notifies import Notify
from ringfence.net.address import Path as WirePath
from ringfence.net.address import format_address
from ringfence.testing.hosts import AES_256, AH_SHA256, ESP_CBC, method

MAIN, INFORMATIONAL, QUICK = "2", "5", "32"
ENCRYPTED = ("isakmp.flag_e", "1")


@pytest.fixture(autouse=True)
def _tshark() -> None:
    if reason := missing():
        unavailable(reason)


def packet(path: WirePath, datagram: bytes) -> bytes:
    source, destination = format_address(path.local.address), format_address(path.remote.address)
    head = IPv6(src=source, dst=destination) if ":" in source else IP(src=source, dst=destination)
    return bytes(head / UDP(sport=path.local.port, dport=path.remote.port) / datagram)


def witnessed(both: Pair, folder: Path) -> list[Dissected]:
    """What tshark says of all that was sent so far, every message decrypted and none found at fault.

    Of repeated ones it sees the first only: it would chain IVs through the others too, and lose its way.
    """
    log = KeyLog(folder)
    for made in both.a.keys:
        log.ike(made.initiator_cookie, made.key)
    sent = dict.fromkeys((path, datagram) for _, path, datagram in both.network.seen)
    packets = dissect([packet(*each) for each in sent], config=folder)
    assert len(packets) == len(sent)
    for each in packets:
        assert each.problems == []
        assert each.all("isakmp.typepayload"), "not decrypted"
    return packets


def of(packets: list[Dissected], exchange: str) -> list[Dissected]:
    return [each for each in packets if each.one("isakmp.exchangetype") == exchange]


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def payloads(shown: Dissected) -> list[str]:
    """Types of a message's payloads, without proposals and transforms."""
    return [number for number in shown.all("isakmp.typepayload") if number not in ("2", "3")]


def negotiated(policy=POLICY, seed: object = 0) -> Pair:
    both = pair(policy, seed=seed)
    both.wish(both.a)
    both.run(2)
    assert both.a.using() is not None
    return both


MAIN_MODES = [
    *(IkeProposal(AES_256, name, DhGroup.ECP_256) for name in Hash),
    *(IkeProposal(Cipher(Encryption.AES_CBC, bits), Hash.SHA1, DhGroup.CURVE25519) for bits in (128, 192)),
    *(IkeProposal(AES_256, Hash.SHA256, group) for group in (DhGroup.MODP_2048, DhGroup.ECP_384, DhGroup.ECP_521)),
    IkeProposal(Cipher(Encryption.TRIPLE_DES, 192), Hash.SHA1, DhGroup.MODP_1024),
    IkeProposal(Cipher(Encryption.DES, 64), Hash.MD5, DhGroup.MODP_768),
]
CIPHERS = {Encryption.DES: 1, Encryption.TRIPLE_DES: 5, Encryption.AES_CBC: 7}


@pytest.mark.parametrize("proposal", MAIN_MODES, ids=str)
def test_every_main_mode(proposal, tmp_path):
    both = negotiated(POLICY.with_(main=(proposal,)), seed=proposal)
    packets = witnessed(both, tmp_path)
    main = of(packets, MAIN)
    assert [ENCRYPTED in each.fields for each in main] == [False] * 4 + [True] * 2
    assert [payloads(each)[:2] for each in main[2:]] == [["4", "10"], ["4", "10"], ["5", "8"], ["5", "8"]]
    for each in main[:2]:
        said = {name: each.one(f"isakmp.ike.attr.{name}") for name in ("encryption_algorithm", "hash_algorithm")}
        assert said == {
            "encryption_algorithm": str(CIPHERS[proposal.cipher.algorithm]),
            "hash_algorithm": str(HASH[proposal.hash].ike_v1),
        }
        assert each.one("isakmp.ike.attr.group_description") == str(proposal.group.value)
        assert each.one("isakmp.ike.attr.authentication_method") == "1"
        assert each.one("isakmp.ike.attr.life_duration") == "28800"
        bits = [] if proposal.cipher.algorithm is not Encryption.AES_CBC else [str(proposal.cipher.key_bits)]
        assert each.all("isakmp.ike.attr.key_length") == bits
    for each in main[2:4]:
        assert len(octets(each.one("isakmp.key_exchange.data"))) == GROUPS[proposal.group].public_octets
    for each, address in zip(main[4:], (POLICY.local, POLICY.remote), strict=True):
        assert each.one("isakmp.id.data.ipv4_addr") == address
        assert len(octets(each.one("isakmp.hash"))) == HASH[proposal.hash].octets
        assert each.one("isakmp.notify.msgtype") == str(Notify.INITIAL_CONTACT.value)
    cookies = {(each.one("isakmp.ispi"), each.one("isakmp.rspi")) for each in packets[1:]}
    assert len(cookies) == 1


SHA512 = Authenticator(Integrity.HMAC_SHA512_256)
QUICK_MODES = {
    "esp": (POLICY, ["3"], ["20"]),
    "esp with pfs": (POLICY.with_(pfs=DhGroup.ECP_256), ["3"], ["20"]),
    "ah in a tunnel": (
        POLICY.with_(methods=(method(AH_SHA256),), mode=Mode.TUNNEL, local_net="10.1.0.0/16", remote_net="10.2.0.0/24"),
        ["2"], ["5"],
    ),
    "ah and esp": (POLICY.with_(methods=(method(ESP_CBC, AH_SHA256),)), ["2", "3"], ["5", "12"]),
    "a choice": (
        POLICY.with_(methods=(
            method(Transform(Protocol.ESP, Cipher(Encryption.NULL, 0), SHA512)), method(ESP_CBC, octets=1 << 30),
        )),
        ["3", "3"], ["11", "12"],
    ),
    "esn": (
        POLICY.with_(methods=(method(Transform(Protocol.ESP, Cipher(Encryption.AES_GCM_16, 128), None, esn=True)),)),
        ["3"], ["20"],
    ),
    "ipv6": (POLICY.with_(local="2001:db8::1", remote="2001:db8::2"), ["3"], ["20"]),
}  # fmt: skip


@pytest.mark.parametrize("name", QUICK_MODES)
def test_every_quick_mode(name, tmp_path):
    policy, protocols, transforms = QUICK_MODES[name]
    both = negotiated(policy, seed=name)
    first, second, third = of(witnessed(both, tmp_path), QUICK)
    a, b = both.a.using(), both.b.using()

    assert {each.one("isakmp.messageid") for each in (first, second, third)} != {"0x00000000"}
    assert (first.all("isakmp.prop.protoid"), first.all("isakmp.trans.id")) == (protocols, transforms)
    spis = {sa.spi.to_bytes(4) for sa in a.inbound}
    assert spis <= {octets(text) for text in first.all("isakmp.spi")}
    assert {octets(text) for text in second.all("isakmp.spi")} == {sa.spi.to_bytes(4) for sa in b.inbound}
    assert len(second.all("isakmp.trans.id")) == len(a.inbound)
    for each in (first, second):
        kind = ["8", "1", "10", *(["4"] if policy.pfs else []), "5", "5"]
        assert payloads(each) == kind
        mode = "2" if policy.mode is Mode.TRANSPORT else "1"
        assert set(each.all("isakmp.ipsec.attr.encap_mode")) == {mode}
        assert "3600" in each.all("isakmp.ipsec.attr.life_duration")
        if policy.pfs is not None:
            assert len(octets(each.one("isakmp.key_exchange.data"))) == GROUPS[policy.pfs].public_octets
            assert each.one("isakmp.ipsec.attr.group_description") == str(policy.pfs.value)
        if policy.mode is Mode.TUNNEL:
            assert each.all("isakmp.id.data.ipv4_addr") == ["10.1.0.0", "10.2.0.0"]
            assert each.all("isakmp.id.data.ipv4_subnet") == ["255.255.0.0", "255.255.255.0"]
        elif name == "ipv6":
            assert each.all("isakmp.id.data.ipv6_addr") == [policy.local, policy.remote]
        else:
            assert each.all("isakmp.id.data.ipv4_addr") == [policy.local, policy.remote]
    assert payloads(third) == ["8"]


def test_kilobytes_are_said(tmp_path):
    policy, _, _ = QUICK_MODES["a choice"]
    first, *_ = of(witnessed(negotiated(policy), tmp_path), QUICK)
    assert first.all("isakmp.ipsec.attr.life_type") == ["1", "1", "2"]
    assert first.all("isakmp.ipsec.attr.life_duration") == ["3600", "3600", str(1 << 20)]


NAMES = {
    "fqdn": (Identity(IdentityKind.FQDN, b"host.example"), "isakmp.id.data.fqdn", "host.example"),
    "user": (Identity(IdentityKind.USER_FQDN, b"alice@corp.example"), "isakmp.id.data.user_fqdn", "alice@corp.example"),
    "key id": (Identity(IdentityKind.KEY_ID, b"\1\2\3"), "isakmp.id.data.key_id", "01:02:03"),
}


@pytest.mark.parametrize("name", NAMES)
def test_identities_are_said(name, tmp_path):
    identity, field, value = NAMES[name]
    main = of(witnessed(negotiated(POLICY.with_(local_identity=identity)), tmp_path), MAIN)
    assert main[4].one(field) == value
    assert main[4].one("isakmp.id.type") == str(identity.kind.value)


def test_several_quick_modes_and_their_end_under_one_main_mode(tmp_path):
    """Each exchange has IVs of its own, all rooted in main mode's last block."""
    both = negotiated()
    old = both.a.using()
    both.network.do(both.a, both.a.engine.rekey_child(old.id, both.network.now, "a test"))
    both.run(5)
    new = both.a.using()
    assert new.id != old.id
    both.network.do(both.b, both.b.engine.shut_down(both.network.now))
    both.run(1)
    packets = witnessed(both, tmp_path)
    assert len(of(packets, MAIN)) == 6
    quick = [each.one("isakmp.messageid") for each in of(packets, QUICK)]
    assert len(quick) == 6
    assert len(set(quick)) == 2
    deleted = [octets(text) for each in of(packets, INFORMATIONAL) for text in each.all("isakmp.delete.spi")]
    first = of(packets, MAIN)[-1]
    assert {new.outbound[0].spi.to_bytes(4), octets(first.one("isakmp.ispi") + first.one("isakmp.rspi"))} <= {*deleted}
    ids = [each.one("isakmp.messageid") for each in of(packets, INFORMATIONAL)]
    assert len(set(ids)) == len(ids)
    assert not {*ids} & {*quick}


def test_repeated_messages_are_the_same_octets(tmp_path):
    """Every message is lost once, and none is made anew: that would take another IV."""
    both = pair()
    lost = set[tuple[WirePath, bytes]]()

    def passes(datagram: bytes, path: WirePath) -> bool:
        known = (path, datagram) in lost
        lost.add((path, datagram))
        return known

    both.network.passes = passes
    both.wish(both.a)
    both.run(60)
    assert both.a.using() is not None
    assert len(both.network.seen) >= 18
    packets = witnessed(both, tmp_path)
    assert [each.one("isakmp.exchangetype") for each in packets] == [MAIN] * 6 + [QUICK] * 3


def test_without_the_key_nothing_is_shown(tmp_path):
    """Or else none of the above would mean anything."""
    both = negotiated()
    KeyLog(tmp_path)
    packets = dissect([packet(path, datagram) for _, path, datagram in both.network.seen], config=tmp_path)
    assert [bool(each.all("isakmp.typepayload")) for each in packets] == [True] * 4 + [False] * 5
    assert [ENCRYPTED in each.fields for each in packets] == [False] * 4 + [True] * 5
