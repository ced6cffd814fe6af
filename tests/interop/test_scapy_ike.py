# SPDX-License-Identifier: Apache-2.0
"""scapy as an independent codec of IKEv1: what either builds, the other reads, and both make the same octets of it.

scapy reads several proposals wrongly when they have SPIs (it forgets the SPI when it looks for the next), so there the
comparison goes one way only: it builds them, we read them.
"""

import pytest
from scapy.layers import isakmp as theirs
from scapy.layers.inet import IP, UDP
from scapy.layers.isakmp import ISAKMP

from ringfence.ike.header import NO_COOKIE, VERSION_1, Exchange, Flags, Header
from ringfence.ike.payload import decode_chain, encode_chain
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import (
    REGISTRY,
    Attribute,
    DeletePayload,
    HashPayload,
    IdPayload,
    IdType,
    KePayload,
    NoncePayload,
    NotifyPayload,
    ProposalPayload,
    SaPayload,
    SigPayload,
    TransformPayload,
    VendorPayload,
)

INITIATOR, RESPONDER = b"initiate", b"response"
LIFE = Attribute(12, bytes.fromhex("015180"))


def phase_1(*algorithms: tuple[int, int, int]) -> SaPayload:
    transforms = []
    for number, (cipher, hash_, group) in enumerate(algorithms, 1):
        attributes = [Attribute(1, cipher), Attribute(2, hash_), Attribute(3, 1), Attribute(4, group)]
        attributes += [Attribute(14, 256)] if cipher == 7 else []
        transforms.append(TransformPayload(number, 1, (*attributes, Attribute(11, 1), LIFE)))
    return SaPayload(1, 1, (ProposalPayload(1, 1, b"", tuple(transforms)),))


def their_phase_1(*algorithms: tuple[str, str, str]):
    transform = None
    for number, (cipher, hash_, group) in reversed([*enumerate(algorithms, 1)]):
        attributes = [("Encryption", cipher), ("Hash", hash_), ("Authentication", "PSK"), ("GroupDesc", group)]
        attributes += [("KeyLength", 256)] if cipher == "AES-CBC" else []
        one = theirs.ISAKMP_payload_Transform(
            transform_count=number, transforms=[*attributes, ("LifeType", "Seconds"), ("LifeDuration", 86400)]
        )
        transform = one if transform is None else one / transform
    proposal = theirs.ISAKMP_payload_Proposal(trans_nb=len(algorithms), trans=transform)
    return theirs.ISAKMP_payload_SA(prop=proposal)


ESP_12 = (Attribute(1, 1), Attribute(2, 3600), Attribute(4, 2), Attribute(5, 5), Attribute(6, 256))
THEIR_ESP_12 = [
    ("LifeType", "seconds"), ("LifeDuration", 3600), ("EncapsulationMode", "Transport"),
    ("AuthenticationAlgorithm", "HMAC-SHA2-256"), ("KeyLength", 256),
]  # fmt: skip
ONE_ESP = SaPayload(1, 1, (ProposalPayload(1, 3, b"\xca\xfe\0\1", (TransformPayload(1, 12, ESP_12),)),))
THEIR_ONE_ESP = theirs.ISAKMP_payload_SA(
    prop=theirs.ISAKMP_payload_Proposal(
        proto=3, SPI=b"\xca\xfe\0\1", trans_nb=1,
        trans=theirs.ISAKMP_payload_Transform(transform_count=1, transform_id=12, transforms=THEIR_ESP_12),
    )
)  # fmt: skip

# name: exchange, flags, message id, our payloads, their payloads
MESSAGES = {
    "main mode 1": (
        Exchange.MAIN, Flags(0), 0,
        [phase_1((7, 4, 14), (5, 2, 2)), VendorPayload(bytes(range(16)))],
        their_phase_1(("AES-CBC", "SHA2-256", "2048MODPgr"), ("3DES-CBC", "SHA", "1024MODPgr"))
        / theirs.ISAKMP_payload_VendorID(VendorID=bytes(range(16))),
    ),
    "main mode 3": (
        Exchange.MAIN, Flags(0), 0,
        [KePayload(b"k" * 256), NoncePayload(b"n" * 32)],
        theirs.ISAKMP_payload_KE(ke=b"k" * 256) / theirs.ISAKMP_payload_Nonce(nonce=b"n" * 32),
    ),
    "main mode 5, before it is encrypted": (
        Exchange.MAIN, Flags(0), 0,
        [
            IdPayload(IdType.IPV4_ADDR, 0, 0, bytes([192, 0, 2, 1])), HashPayload(b"h" * 32), SigPayload(b"s" * 256),
            NotifyPayload(1, 1, INITIATOR + RESPONDER, Notify.INITIAL_CONTACT),
        ],
        theirs.ISAKMP_payload_ID(IDtype=1, IdentData="192.0.2.1") / theirs.ISAKMP_payload_Hash(hash=b"h" * 32)
        / theirs.ISAKMP_payload_SIG(sig=b"s" * 256)
        / theirs.ISAKMP_payload_Notify(doi=1, proto=1, SPI=INITIATOR + RESPONDER, notify_msg_type=24578),
    ),
    "quick mode 1, before it is encrypted": (
        Exchange.QUICK, Flags(0), 0xDEADBEEF,
        [
            HashPayload(b"h" * 20), ONE_ESP, NoncePayload(b"n" * 16),
            IdPayload(IdType.IPV4_ADDR, 6, 80, bytes([192, 0, 2, 1])), IdPayload(IdType.KEY_ID, 0, 0, b"somebody"),
        ],
        theirs.ISAKMP_payload_Hash(hash=b"h" * 20) / THEIR_ONE_ESP / theirs.ISAKMP_payload_Nonce(nonce=b"n" * 16)
        / theirs.ISAKMP_payload_ID(IDtype=1, ProtoID=6, Port=80, IdentData="192.0.2.1")
        / theirs.ISAKMP_payload_ID(IDtype=11, IdentData=b"somebody"),
    ),
    "informational": (
        Exchange.INFORMATIONAL, Flags(0), 7,
        [
            HashPayload(b"h" * 20), DeletePayload(1, 3, (b"abcd", b"efgh")),
            NotifyPayload(1, 3, b"abcd", Notify.NO_PROPOSAL_CHOSEN, b"why"),
        ],
        theirs.ISAKMP_payload_Hash(hash=b"h" * 20)
        / theirs.ISAKMP_payload_Delete(doi=1, proto=3, SPIs=[b"abcd", b"efgh"])
        / theirs.ISAKMP_payload_Notify(doi=1, proto=3, SPI=b"abcd", notify_msg_type=14, notify_data=b"why"),
    ),
}  # fmt: skip


def both(name):
    exchange, flags, message_id, payloads, packets = MESSAGES[name]
    first, body = encode_chain(payloads)
    ours = Header(INITIATOR, RESPONDER, first, VERSION_1, exchange, flags, message_id).over(body)
    peer = ISAKMP(
        init_cookie=INITIATOR, resp_cookie=RESPONDER, exch_type=int(exchange), flags=int(flags), id=message_id
    )
    return ours, bytes(peer / packets)


@pytest.mark.parametrize("name", MESSAGES)
def test_both_make_the_same_octets(name):
    ours, theirs_ = both(name)
    assert ours == theirs_


@pytest.mark.parametrize("name", MESSAGES)
def test_we_read_what_scapy_builds(name):
    exchange, flags, message_id, payloads, _ = MESSAGES[name]
    _, octets = both(name)
    header = Header.decode(octets[:28])
    assert (header.exchange, header.flags, header.message_id, header.length) == (
        exchange, flags, message_id, len(octets),
    )  # fmt: skip
    chain = decode_chain(header.next_payload, octets[28:], REGISTRY)
    assert (list(chain), chain.padding) == (payloads, b"")


def test_scapy_reads_phase_1():
    ours, _ = both("main mode 1")
    packet = UDP(bytes(UDP(sport=500, dport=500) / ours))[ISAKMP]
    assert (packet.init_cookie, packet.exch_type, packet.length) == (INITIATOR, 2, len(ours))
    proposal = packet[theirs.ISAKMP_payload_SA].prop
    assert (proposal.proto, proposal.trans_nb, proposal.SPI) == (1, 2, b"")
    first, second = proposal.trans, proposal.trans.payload
    assert dict(first.transforms) == {
        "Encryption": "AES-CBC", "Hash": "SHA2-256", "Authentication": "PSK", "GroupDesc": "2048MODPgr",
        "KeyLength": 256, "LifeType": "Seconds", "LifeDuration": 86400,
    }  # fmt: skip
    assert (second.transform_count, dict(second.transforms)["Encryption"]) == (2, "3DES-CBC")
    assert packet[theirs.ISAKMP_payload_VendorID].VendorID == bytes(range(16))


def test_scapy_reads_the_rest():
    packet = IP(bytes(IP() / UDP(sport=500, dport=500) / both("quick mode 1, before it is encrypted")[0]))
    proposal = packet[theirs.ISAKMP_payload_SA].prop
    assert (proposal.proto, proposal.SPI, proposal.trans.transform_id) == (3, b"\xca\xfe\0\1", 12)
    assert proposal.trans.transforms == THEIR_ESP_12
    identity = packet[theirs.ISAKMP_payload_ID]
    assert (identity.ProtoID, identity.Port, identity.IdentData) == (6, 80, "192.0.2.1")
    assert identity.payload.IdentData == b"somebody"
    news = ISAKMP(both("informational")[0])
    assert news[theirs.ISAKMP_payload_Delete].SPIs == [b"abcd", b"efgh"]
    notify = news[theirs.ISAKMP_payload_Notify]
    assert (notify.notify_msg_type, notify.SPI, notify.notify_data) == (14, b"abcd", b"why")
    assert not notify.payload


def test_a_bundle_of_two_proposals():
    transforms = [
        theirs.ISAKMP_payload_Transform(transform_count=1, transform_id=n, transforms=[(4, 2)]) for n in (3, 12)
    ]
    chain = theirs.ISAKMP_payload_Proposal(proto=2, SPI=b"ahah", trans_nb=1, trans=transforms[0])
    chain /= theirs.ISAKMP_payload_Proposal(proto=3, SPI=b"esps", trans_nb=1, trans=transforms[1])
    octets = bytes(ISAKMP(init_cookie=INITIATOR, resp_cookie=NO_COOKIE) / theirs.ISAKMP_payload_SA(prop=chain))
    (sa,) = decode_chain(1, octets[28:], REGISTRY)
    tunnel = (Attribute(4, 2),)
    assert sa == SaPayload(
        1, 1,
        (
            ProposalPayload(1, 2, b"ahah", (TransformPayload(1, 3, tunnel),)),
            ProposalPayload(1, 3, b"esps", (TransformPayload(1, 12, tunnel),)),
        ),
    )  # fmt: skip
    assert encode_chain([sa]) == (1, octets[28:])
