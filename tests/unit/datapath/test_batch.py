# SPDX-License-Identifier: Apache-2.0
"""What one call works on starts empty."""

from ringfence.datapath.batch import Batch, Subject
from ringfence.net.ip import build_v4, flow_of, view

PACKET = build_v4(bytes(4), bytes(4), 17, 8) + bytes(8)


def test_batches_share_nothing():
    first, second = Batch(1.0), Batch(2.0)
    assert first.verdicts == []
    assert first.verdicts is not second.verdicts


def test_a_packet_was_neither_rebuilt_nor_protected_before():
    subject = Subject(PACKET, view(PACKET), flow_of(PACKET))
    assert not subject.rebuilt
    assert subject.applied == frozenset()
