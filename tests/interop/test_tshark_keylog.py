# SPDX-License-Identifier: Apache-2.0
"""tshark with our key log as its configuration: it decrypts every suite that it knows, and finds each ICV right."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from lab.fixtures import unavailable
from lab.tshark import missing
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from ringfence.capture.keylog import AUTHENTICATORS, CIPHERS, KeyLog
from ringfence.capture.pcap import RAW_IP, Frame, PcapWriter
from ringfence.databases.sa import ChildSa, Mode
from ringfence.databases.selector import Selector
from ringfence.datapath.esp import EspSeal
from ringfence.testing.associations import ESP_SUITES, make_sa

SUITES = [suite for suite in ESP_SUITES if suite.cipher.algorithm in CIPHERS]
FIELDS = ("esp.spi", "udp.dstport", "data", "esp.icv_good")


@pytest.fixture(autouse=True)
def _tshark() -> None:
    if reason := missing():
        unavailable(reason)


def shown(folder: Path, packets: list[bytes]) -> list[list[str]]:
    with (folder / "packets.pcap").open("wb") as file:
        writer = PcapWriter(file, RAW_IP)
        for number, packet in enumerate(packets):
            writer.write(Frame(number, packet))
    command = [
        "tshark",
        "-n",
        "-r",
        folder / "packets.pcap",
        "-o",
        "esp.enable_authentication_check:TRUE",
        "-T",
        "fields",
    ]
    done = subprocess.run(
        [*command, *(word for field in FIELDS for word in ("-e", field))],
        env=os.environ | {"WIRESHARK_CONFIG_DIR": str(folder)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("version", [4, 6])
def test_every_suite_it_knows_is_decrypted(tmp_path: Path, version: int) -> None:
    log = KeyLog(tmp_path)
    ends = ("192.0.2.1", "192.0.2.2") if version == 4 else ("2001:db8::1", "2001:db8::2")
    packets = []
    for number, suite in enumerate(SUITES):
        sa = make_sa(suite, spi=0x2000 + number, source=ends[0], destination=ends[1])
        back = replace(sa, spi=0x9000 + number, source=sa.destination, destination=sa.source)
        log.child(ChildSa(number + 1, 0, "e", Selector.between(*ends), (sa,), (back,)))
        body = EspSeal(sa, Random(1).randbytes).seal(17, bytes(UDP(sport=1000, dport=2000) / b"hello"))
        head = IP(src=ends[0], dst=ends[1], proto=50) if version == 4 else IPv6(src=ends[0], dst=ends[1], nh=50)
        packets.append(bytes(head / body))
    for number, (suite, fields) in enumerate(zip(SUITES, shown(tmp_path, packets), strict=True)):
        checked = suite.authenticator is None or suite.authenticator.algorithm in AUTHENTICATORS
        assert fields == [f"0x{0x2000 + number:08x}", "2000", b"hello".hex(), "1" if checked else "0"], str(suite)


def test_a_tunnel_is_decrypted(tmp_path: Path) -> None:
    suite = SUITES[0]
    sa = make_sa(suite, mode=Mode.TUNNEL)
    KeyLog(tmp_path).child(ChildSa(1, 0, "e", Selector.between("10.1.0.0/16", "10.2.0.0/16"), (sa,), ()))
    inner = bytes(IP(src="10.1.0.1", dst="10.2.0.1") / UDP(sport=1, dport=2000) / b"inside")
    packet = bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=50) / EspSeal(sa, Random(1).randbytes).seal(4, inner))
    assert shown(tmp_path, [packet])[0][1:3] == ["2000", b"inside".hex()]
