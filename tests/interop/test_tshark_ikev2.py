# SPDX-License-Identifier: Apache-2.0
"""tshark as a witness of IKEv2: with our key log it decrypts every protected message and finds no fault."""

from dataclasses import replace
from pathlib import Path

import pytest
from interop.test_tshark_exchanges import packet
from lab.fixtures import unavailable
from lab.tshark import dissect, missing
from protocol.pairs import POLICY, pair
from protocol.test_certificates import ALICE, ROOT, own, way
from protocol.test_ikev2_certificates import meet2

from ringfence.capture.keylog import KeyLog
from ringfence.crypto.suites import Cipher, DhGroup, Encryption, Hash
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.effects import LogIkeV2Keys
from ringfence.testing.hosts import FAST_MAIN

CIPHERS = [
    *(Cipher(Encryption.AES_CBC, bits) for bits in (128, 192, 256)),
    *(Cipher(Encryption.AES_GCM_16, bits) for bits in (128, 256)),
    Cipher(Encryption.TRIPLE_DES, 192),
]
INFORMATIONAL = "37"


@pytest.fixture(autouse=True)
def _tshark() -> None:
    if reason := missing():
        unavailable(reason)


def write(folder: Path, logged: list[LogIkeV2Keys]) -> None:
    log = KeyLog(folder)
    for made in logged:
        spis = made.initiator_spi, made.responder_spi
        log.ike_v2(spis, made.cipher, made.authenticator, (made.ei, made.er, made.ai, made.ar))


@pytest.mark.parametrize("cipher", CIPHERS, ids=str)
def test_every_message_is_decrypted(cipher, tmp_path):
    both = pair(POLICY.with_(keying=(2,), main=(IkeProposal(cipher, Hash.SHA256, DhGroup.CURVE25519),)), seed=cipher)
    both.wish(both.a)
    both.run(2)
    both.network.do(both.a, both.a.engine.rekey_child(both.a.using().id, both.network.now, "test"))
    both.run(20)
    both.network.do(both.a, both.a.engine.shut_down(both.network.now))
    both.run(1)
    write(tmp_path, both.a.logged)
    packets = dissect([packet(path, datagram) for _, path, datagram in both.network.seen], config=tmp_path)
    assert len(packets) == len(both.network.seen) >= 10
    for each in packets:
        assert each.problems == []
        assert each.one("isakmp.version") == "0x20"
    exchanges = [each.one("isakmp.exchangetype") for each in packets]
    assert exchanges[:6] == ["34", "34", "35", "35", "36", "36"]
    for each in packets[2:6]:
        assert {"33", "44", "45"} <= {*each.all("isakmp.typepayload")}, "not decrypted"
    deletes = [each for each in packets if each.one("isakmp.exchangetype") == INFORMATIONAL]
    assert any("42" in each.all("isakmp.typepayload") for each in deletes), "no delete was decrypted"


def test_certificates_in_pieces_and_methods_of_signatures_are_read(tmp_path):
    """RFC 7383 and RFC 7427: tshark puts the pieces together and finds certificates, requests and the algorithm."""
    middle = ROOT.issue("CN=Middle CA,O=A name that is as long as names of authorities are", ca=True)
    bob = middle.issue("CN=bob", names=tuple(f"host-{number}.of-some-length.lab" for number in range(40)))
    both = meet2((way(own(ALICE)),), (way(own(bob, middle)),), bob=bob, seconds=2)
    write(tmp_path, both.a.logged)
    packets = dissect([packet(path, datagram) for _, path, datagram in both.network.seen], config=tmp_path)
    assert all(each.problems == [] for each in packets)
    payloads = [each.all("isakmp.typepayload") for each in packets]
    assert "38" in payloads[1], "a request for certificates in IKE_SA_INIT"
    assert {"37", "38", "39"} <= {*payloads[2]}, "not decrypted"
    pieces = [each for each in payloads[3:] if "53" in each]
    assert len(pieces) > 1
    assert payloads[3 + len(pieces) - 1].count("37") == 2, "not put together"


def test_each_key_exchange_is_decrypted_by_the_keys_before_it(tmp_path):
    """RFC 9370: tshark knows one set of keys for an IKE SA, so each set is given to it alone, and then all of them."""
    long = replace(FAST_MAIN, further=(DhGroup.ECP_256, DhGroup.ML_KEM_768, DhGroup.ML_KEM_1024))
    both = pair(POLICY.with_(keying=(2,), main=(long,), fragmentation=False))
    both.wish(both.a)
    both.run(2)
    packets = [packet(path, datagram) for _, path, datagram in both.network.seen]
    opened = []
    for number, made in enumerate(both.a.logged):
        write(folder := tmp_path / str(number), [made])
        opened.append([each.problems == [] for each in dissect(packets, config=folder)[2:]])
    step, other = [True, True], [False, False]
    assert opened == [
        step + other + other + other,
        other + step + other + other,
        other + other + step + other,
        other + other + other + step,
    ]
    write(tmp_path, both.a.logged)
    *_, asked, answered = dissect(packets, config=tmp_path)
    assert asked.problems == answered.problems == []
    assert {"35", "44", "45"} <= {*asked.all("isakmp.typepayload")}
