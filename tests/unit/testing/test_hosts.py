# SPDX-License-Identifier: Apache-2.0
"""Small policies: both ends' mean the same."""

from ringfence.databases.sa import Mode
from ringfence.net.address import parse_address
from ringfence.testing.hosts import ENTRY, PEER, HostPolicy

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")


def test_compiled():
    spd, pad = POLICY.compiled()
    entry = spd.named(ENTRY)
    assert entry.peer == PEER
    assert entry is spd.outbound(POLICY.flow())
    assert [each.name for each in pad.for_address(parse_address("192.0.2.2"), parse_address("192.0.2.1"))] == [PEER]
    assert entry.processing.tunnel_remote is None


def test_a_tunnel_and_its_mirror():
    tunnel = POLICY.with_(mode=Mode.TUNNEL, local_net="10.1.0.0/16", remote_net="10.2.0.0/16")
    (entry,), (mirror,) = tunnel.compiled()[0], tunnel.mirrored().compiled()[0]
    assert mirror.selector == entry.selector.reversed()
    assert entry.processing.tunnel_local == mirror.processing.tunnel_remote == parse_address("192.0.2.1")
