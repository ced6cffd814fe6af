# SPDX-License-Identifier: Apache-2.0
"""Captures: scapy reads what we write, and we read what scapy writes."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapReader, wrpcap

from ringfence.capture.pcap import BadCapture, Frame, PcapWriter, read_pcap

PACKETS = [Ether() / IP(dst="10.0.0.1") / UDP() / bytes(n) for n in (0, 1, 1400)]


def test_scapy_reads_what_we_write(tmp_path) -> None:
    path = tmp_path / "ours.pcap"
    with path.open("wb") as file:
        writer = PcapWriter(file)
        for number, packet in enumerate(PACKETS):
            writer.write(Frame(1_700_000_000.25 + number, bytes(packet)))
    with PcapReader(str(path)) as reader:
        seen = list(reader)
    assert [bytes(packet) for packet in seen] == [bytes(packet) for packet in PACKETS]
    assert float(seen[1].time) == pytest.approx(1_700_000_001.25)


@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_we_read_what_scapy_writes(tmp_path, endianness: str, nano: bool) -> None:
    path = tmp_path / "theirs.pcap"
    for number, packet in enumerate(PACKETS):
        packet.time = 1_700_000_000.5 + number
    wrpcap(str(path), PACKETS, endianness=endianness, nano=nano)
    with path.open("rb") as file:
        frames = list(read_pcap(file))
    assert [frame.octets for frame in frames] == [bytes(packet) for packet in PACKETS]
    assert frames[2].at == pytest.approx(1_700_000_002.5)


@given(st.binary(max_size=200), st.booleans())
def test_nonsense_is_a_bad_capture_and_nothing_else(noise: bytes, with_head: bool) -> None:
    head = io.BytesIO()
    PcapWriter(head)
    try:
        list(read_pcap(io.BytesIO(head.getvalue() * with_head + noise)))
    except BadCapture:
        return
    assert with_head, "noise alone must not pass for a capture"
