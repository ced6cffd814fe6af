# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path
from random import Random

from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from ringfence.capture.keylog import KeyLog
from ringfence.capture.pcap import Frame
from ringfence.crypto.suites import Encryption
from ringfence.databases.sa import ChildSa
from ringfence.databases.selector import Selector
from ringfence.datapath.esp import EspSeal
from ringfence.demo.keepsakes import check_keys, draw
from ringfence.demo.packets import Seen, read
from ringfence.demo.picture import Chapter
from ringfence.testing.associations import esp_suite, make_sa

SA = make_sa(esp_suite(Encryption.AES_GCM_16))


def captured(payload: bytes) -> Seen:
    body = EspSeal(SA, Random(1).randbytes).seal(6, payload)
    found = read(Frame(5.0, bytes(Ether() / IP(src="10.77.1.1", dst="10.77.2.1", proto=50) / Raw(body))))
    assert found is not None
    return found


def test_the_keys_open_what_was_captured(tmp_path: Path) -> None:
    log = KeyLog(tmp_path)
    log.child(ChildSa(1, 0, "e", Selector.between("10.77.1.1", "10.77.2.1"), (SA,), ()))
    assert check_keys(tmp_path, [captured(b"x" * 20 + b"GET /payroll")], b"GET /payroll")
    assert not check_keys(tmp_path, [captured(b"something else, as long")], b"GET /payroll")
    assert not check_keys(tmp_path, [replace(captured(b"GET /payroll"), spi=5)], b"GET /payroll")


def test_other_keys_do_not(tmp_path: Path) -> None:
    other = make_sa(esp_suite(Encryption.AES_GCM_16), seed="other")
    KeyLog(tmp_path).child(ChildSa(1, 0, "e", Selector.between("10.77.1.1", "10.77.2.1"), (other,), ()))
    assert not check_keys(tmp_path, [captured(b"GET /payroll")], b"GET /payroll")


def test_the_picture_tells_who_did_what() -> None:
    frame = captured(b"data")
    chapters = [(0, Chapter(0.0, "1 first")), (1, Chapter(1.0, "2 second")), (9, Chapter(2.0, "3 last"))]
    frames = [frame, frame, replace(frame, source="10.77.9.9")]
    picture = draw(frames, chapters, {1}, {1}, 4.0)
    assert (
        picture.index("1 first") < picture.index("ESP 0x00001001") < picture.index("2 second") < picture.index("3 last")
    )
    assert picture.count("ESP 0x00001001") == 2
    assert picture.count("1.000 s") == 2
    assert "#8a5a00" in picture.split("2 second")[1].split("3 last")[0]
