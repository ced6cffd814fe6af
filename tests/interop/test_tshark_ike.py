# SPDX-License-Identifier: Apache-2.0
"""tshark as an independent reader of IKEv1: it finds nothing wrong, and shows what we meant."""

import pytest
from lab.fixtures import unavailable
from lab.tshark import Dissected, dissect, missing
from scapy.layers.inet import IP, UDP

from ringfence.ike.header import VERSION_1, Exchange, Flags, Header
from ringfence.ike.payload import Payload, encode_chain
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import (
    Attribute,
    DeletePayload,
    HashPayload,
    IdPayload,
    IdType,
    KePayload,
    NatDPayload,
    NatOaPayload,
    NoncePayload,
    NotifyPayload,
    ProposalPayload,
    SaPayload,
    TransformPayload,
    VendorPayload,
)

INITIATOR, RESPONDER = b"initiate", b"response"
RFC_3947 = bytes.fromhex("4a131c81070358455c5728f20e95452f")


@pytest.fixture(autouse=True)
def _tshark() -> None:
    if reason := missing():
        unavailable(reason)


def packet(datagram: bytes, *, answer: bool = False) -> bytes:
    source, destination = ("192.0.2.2", "192.0.2.1") if answer else ("192.0.2.1", "192.0.2.2")
    return bytes(IP(src=source, dst=destination) / UDP(sport=500, dport=500) / datagram)


def seen(exchange: Exchange, message_id: int, *payloads: Payload) -> Dissected:
    first, body = encode_chain(payloads)
    header = Header(INITIATOR, RESPONDER, first, VERSION_1, exchange, Flags(0), message_id)
    (shown,) = dissect([packet(header.over(body))])
    assert shown.problems == []
    assert shown.all("isakmp.typepayload")[0] == str(first)
    assert int(shown.one("isakmp.length")) == len(body) + 28
    return shown


def attributes(shown: Dissected, prefix: str, *names: str) -> dict[str, list[int]]:
    return {name: [int(value) for value in shown.all(f"{prefix}.attr.{name}")] for name in names}


def test_main_mode_1():
    life = Attribute(12, bytes.fromhex("00007080"))
    aes = (
        Attribute(1, 7),
        Attribute(14, 256),
        Attribute(2, 4),
        Attribute(3, 1),
        Attribute(4, 19),
        Attribute(11, 1),
        life,
    )
    old = (Attribute(1, 5), Attribute(2, 2), Attribute(3, 1), Attribute(4, 2), Attribute(11, 1), Attribute(12, 28800))
    transforms = (TransformPayload(1, 1, aes), TransformPayload(2, 1, old))
    sa = SaPayload(1, 1, (ProposalPayload(1, 1, b"", transforms),))
    shown = seen(Exchange.MAIN, 0, sa, VendorPayload(RFC_3947))
    assert shown.all("isakmp.exchangetype") == ["2"]
    assert attributes(
        shown, "isakmp.ike", "encryption_algorithm", "key_length", "hash_algorithm", "authentication_method",
        "group_description", "life_duration",
    ) == {
        "encryption_algorithm": [7, 5], "key_length": [256], "hash_algorithm": [4, 2],
        "authentication_method": [1, 1], "group_description": [19, 2], "life_duration": [28800, 28800],
    }  # fmt: skip
    assert shown.one("isakmp.vid_string").startswith("RFC 3947")


def test_main_mode_3():
    shown = seen(Exchange.MAIN, 0, KePayload(b"\xab" * 64), NoncePayload(b"\xcd" * 32), NatDPayload(b"\xef" * 32))
    assert shown.one("isakmp.key_exchange.data").replace(":", "") == "ab" * 64
    assert shown.one("isakmp.nonce").replace(":", "") == "cd" * 32
    assert shown.one("isakmp.ike.nat_hash").replace(":", "") == "ef" * 32


def test_a_bundle_in_quick_mode():
    life = (Attribute(1, 1), Attribute(2, 3600), Attribute(1, 2), Attribute(2, bytes.fromhex("0003d090")))
    ah = TransformPayload(1, 5, (*life, Attribute(4, 1), Attribute(5, 5), Attribute(3, 14)))
    esp = TransformPayload(1, 20, (*life, Attribute(4, 1), Attribute(6, 256), Attribute(3, 14), Attribute(11, 1)))
    shown = seen(
        Exchange.QUICK, 0x01020304,
        HashPayload(bytes(32)),
        SaPayload(1, 1, (ProposalPayload(1, 2, b"ahah", (ah,)), ProposalPayload(1, 3, b"esps", (esp,)))),
        NoncePayload(bytes(16)),
        IdPayload(IdType.IPV4_ADDR_SUBNET, 0, 0, bytes.fromhex("0a010000ffff0000")),
        IdPayload(IdType.IPV6_ADDR, 17, 1701, bytes.fromhex("20010db8" + "0" * 23 + "1")),
        NatOaPayload(1, bytes([10, 0, 0, 1])),
    )  # fmt: skip
    assert shown.one("isakmp.messageid") == "0x01020304"
    assert shown.all("isakmp.prop.protoid") == ["2", "3"]
    assert [text.replace(":", "") for text in shown.all("isakmp.spi")] == [b"ahah".hex(), b"esps".hex()]
    assert shown.all("isakmp.trans.id") == ["5", "20"]
    assert attributes(
        shown, "isakmp.ipsec", "life_type", "life_duration", "encap_mode", "auth_algorithm", "key_length",
        "group_description",
    ) == {
        "life_type": [1, 2] * 2, "life_duration": [3600, 250_000] * 2, "encap_mode": [1, 1], "auth_algorithm": [5],
        "key_length": [256], "group_description": [14, 14],
    }  # fmt: skip
    assert shown.one("isakmp.id.data.ipv4_addr") == "10.1.0.0"
    assert shown.one("isakmp.id.data.ipv4_subnet") == "255.255.0.0"
    assert shown.one("isakmp.id.data.ipv6_addr") == "2001:db8::1"
    assert shown.all("isakmp.id.port") == ["0", "1701"]


def test_informational():
    both = INITIATOR + RESPONDER
    shown = seen(
        Exchange.INFORMATIONAL, 9,
        HashPayload(bytes(20)),
        DeletePayload(1, 3, (b"abcd", b"efgh")),
        DeletePayload(1, 1, (both,)),
        NotifyPayload(1, 1, both, Notify.INITIAL_CONTACT),
        NotifyPayload(1, 3, b"abcd", Notify.NO_PROPOSAL_CHOSEN, b"why"),
    )  # fmt: skip
    assert [text.replace(":", "") for text in shown.all("isakmp.delete.spi")] == [
        b"abcd".hex(), b"efgh".hex(), both.hex(),
    ]  # fmt: skip
    assert shown.all("isakmp.notify.msgtype") == ["24578", "14"]
    assert shown.all("isakmp.notify.data")[-1].replace(":", "") == b"why".hex()


def test_a_judge_that_finds_fault():
    """Or else it would be none: half a message is malformed."""
    first, body = encode_chain([KePayload(bytes(64)), NoncePayload(bytes(16))])
    message = Header(INITIATOR, RESPONDER, first, VERSION_1, Exchange.MAIN, Flags(0), 0).over(body)
    (shown,) = dissect([packet(message[:-10])])
    assert shown.problems
