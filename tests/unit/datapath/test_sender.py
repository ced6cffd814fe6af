# SPDX-License-Identifier: Apache-2.0
"""Runs that are sealed and sent; the rest of its work is shown by test_outbound."""

from ringfence.crypto.suites import Encryption
from ringfence.databases.proposal import Limits
from ringfence.datapath.batch import Batch
from ringfence.datapath.event import HardExpired
from ringfence.datapath.verdict import Drop, Dropped, Hold, Send
from ringfence.net.ip import build_v4, flow_of
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child, make_path

GCM = esp_suite(Encryption.AES_GCM_16)
ENDS = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
PACKET = build_v4(*ENDS, 17, 8, identification=7) + b"\0\1\0\2data"
PIECE = PACKET[:6] + b"\x20\0" + PACKET[8:]


def sender(**words):
    path = make_path(make_child(GCM, **words))
    return path._outbound._sender, path._state.contracts[1]


def test_a_run_is_one_verdict():
    one, contract = sender()
    batch = Batch(3.0)
    one.seal(contract, [PACKET] * 5, batch)
    (sent,) = batch.verdicts
    assert (type(sent), len(sent.packets), sent.child, sent.path) == (Send, 5, 1, None)
    assert (contract.out.packets, contract.out.octets, contract.out.last_used) == (5, 5 * len(PACKET), 3.0)


def test_what_cannot_be_sealed_is_said_and_not_counted():
    one, contract = sender()
    batch = Batch(0.0)
    one.seal(contract, [PIECE, PACKET], batch)
    assert batch.verdicts[0] == Dropped(Drop.FRAGMENT, flow_of(PIECE), contract.child.outbound[0].spi)
    assert len(batch.verdicts[1].packets) == 1
    assert (contract.out.packets, contract.out.octets) == (1, len(PACKET))
    batch = Batch(0.0)
    one.seal(contract, [PIECE], batch)
    assert [type(verdict) for verdict in batch.verdicts] == [Dropped]


def test_a_run_beyond_the_limit_is_cut_there():
    one, contract = sender(hard=Limits(octets=3 * len(PACKET) + 1))
    batch = Batch(0.0)
    one.seal(contract, [PACKET] * 5, batch)
    assert [type(verdict) for verdict in batch.verdicts] == [Send, Hold, Hold]
    assert len(batch.verdicts[0].packets) == 3
    assert one._state.events == [HardExpired(1, "octets")]
