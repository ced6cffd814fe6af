# SPDX-License-Identifier: Apache-2.0
"""Hostile packets into a whole packet path, from the wire and from the device.

It answers every one of them with verdicts. What it delivers as protected is what the peer sent, and after a while
nothing of it all is kept.
"""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.sa import Mode
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Hold, Reassembling, Send
from ringfence.net.fragment import fragment
from ringfence.net.ip import build, flow_of
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import joined, make_child

some = settings(max_examples=60, deadline=None)

GCM = esp_suite(Encryption.AES_GCM_16)
CBC = esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA256_128)
AH = AH_SUITES[2]
V6 = {"local": "2001:db8::1", "remote": "2001:db8::2"}
CONTRACTS = {
    "esp": make_child(GCM),
    "esp in a tunnel": make_child(CBC, mode=Mode.TUNNEL),
    "esp under ah": make_child(CBC, AH),
    "ah in a tunnel": make_child(AH, mode=Mode.TUNNEL, **V6),
    "esp over ipv6": make_child(GCM, **V6),
    "esp in udp": make_child(GCM, udp=True),
}
contracts = pytest.mark.parametrize("child", CONTRACTS.values(), ids=CONTRACTS)


def payload(number: int) -> bytes:
    return b"\x10\x01\x20\x02" + Random(number).randbytes(600)


def clear_packets(child):
    source, destination = (child.outbound[-1].source, child.outbound[-1].destination)
    return [build(source, destination, 17, payload(number)) for number in range(4)]


def on_the_wire(child, left) -> list[bytes]:
    """Four packets as they leave, and one of them once more in pieces."""
    sent = [packet for verdict in left.outbound(clear_packets(child), 0.0) for packet in verdict.packets]
    if child.outbound[-1].encapsulation is None:
        sent += fragment(sent[-1], 400, lambda: 7)
    return sent


changes = st.lists(
    st.tuples(st.sampled_from(["set", "cut", "insert"]), st.integers(0, 700), st.binary(min_size=1, max_size=4)),
    max_size=3,
)


def bend(packet: bytes, edits) -> bytes:
    octets = bytearray(packet)
    for edit, place, data in edits:
        at = place % (len(octets) + 1)
        match edit:
            case "set":
                octets[at : at + len(data)] = data
            case "cut":
                del octets[at : at + 16 * len(data)]
            case "insert":
                octets[at:at] = data
    return bytes(octets)


def check(verdicts, child, genuine=()) -> None:
    for verdict in verdicts:
        assert isinstance(verdict, Send | Deliver | Hold | Dropped | Reassembling)
        for packet in verdict.packets if isinstance(verdict, Deliver) else ():
            if verdict.child:
                assert packet.endswith(genuine), "nobody sent this"
            else:
                assert flow_of(packet).reversed() not in child.selector, "it had to be protected"


@contracts
@some
@given(data=st.data())
def test_bent_packets_from_the_wire(child, data):
    left, right = joined(child)
    packets = on_the_wire(child, left)
    genuine = tuple(payload(number)[8:] for number in range(4))  # through NAT, a checksum is made anew
    for now in range(1, 5):
        batch = [
            bend(packets[data.draw(st.integers(0, len(packets) - 1))], data.draw(changes))
            for _ in range(data.draw(st.integers(1, 8)))
        ]
        if (path := child.outbound[-1].encapsulation) is not None:
            check(right.inbound_udp(batch, type(path)(path.remote, path.local), now), child, genuine)
        else:
            check(right.inbound(batch, now), child, genuine)
    right.tick(1000.0)
    assert right.next_timer() is None or right.next_timer() > 1000.0


@contracts
@some
@given(data=st.data(), now=st.floats(0, 10))
def test_bent_packets_from_the_device(child, data, now):
    left, _ = joined(child)
    clear = clear_packets(child)
    clear += fragment(clear[0], 300, lambda: 7)
    batch = [bend(data.draw(st.sampled_from(clear)), data.draw(changes)) for _ in range(6)]
    for verdict in left.outbound(batch, now):
        assert isinstance(verdict, Send | Hold | Dropped | Reassembling)
        for packet in verdict.packets if isinstance(verdict, Send) and not verdict.child else ():
            assert flow_of(packet) not in child.selector, "it had to be protected"
    left.tick(1000.0)


@contracts
@some
@given(octets=st.binary(max_size=150), first=st.sampled_from([b"", b"\x45", b"\x60\0\0\0", b"\x4f"]))
def test_random_octets(child, octets, first):
    _, right = joined(child)
    spi = child.outbound[-1].spi.to_bytes(4)
    source, destination = child.outbound[-1].source, child.outbound[-1].destination
    batch = [first + octets, octets]
    batch += [build(source, destination, protocol, spi + octets) for protocol in (1, 6, 17, 50, 51, 58)]
    check(right.inbound(batch, 1.0), child)
    right.outbound(batch, 1.0)
    if (path := child.outbound[-1].encapsulation) is not None:
        check(right.inbound_udp([octets, spi + octets, b"\xff"], type(path)(path.remote, path.local), 1.0), child)


@contracts
@some
@given(data=st.data())
def test_errors_about_packets_that_may_be_ours(child, data):
    """ICMP errors that quote us, bent: they may teach a smaller path MTU, and nothing more."""
    left, _ = joined(child)
    quoted = on_the_wire(child, left)[0]
    source, destination = child.outbound[-1].destination, child.outbound[-1].source
    kind, protocol = data.draw(
        st.sampled_from([(b"\3\4", 1), (b"\3\1", 1), (b"\2\0", 58), (b"\1\4", 58), (b"\x0b\0", 1)])
    )
    message = kind + bytes(4) + data.draw(st.integers(0, 2000)).to_bytes(2) + quoted[: data.draw(st.integers(0, 600))]
    packet = build(source, destination, protocol, message)
    check(left.inbound([packet, bend(packet, data.draw(changes))], 1.0), child)
    left.outbound(clear_packets(child), 2.0)
    assert left.statistics(child.id).path_mtu >= 68


def test_a_flood_of_pieces_is_forgotten():
    child = CONTRACTS["esp"]
    _, right = joined(child)
    source, destination = child.outbound[0].source, child.outbound[0].destination
    random = Random(1)
    for number in range(30_000):
        piece = bytearray(build(source, destination, 50, random.randbytes(80)))
        piece[4:6], piece[6:8] = (number & 0xFFFF).to_bytes(2), (0x2000 | random.randrange(100)).to_bytes(2)
        right.inbound([bytes(piece)], number / 10_000)
    dropped = right.tick(100.0)
    assert all(verdict.reason is Drop.REASSEMBLY_FAILED for verdict in dropped if isinstance(verdict, Dropped))
    assert right.next_timer() is None
