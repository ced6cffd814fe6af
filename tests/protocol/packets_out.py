# SPDX-License-Identifier: Apache-2.0
"""Packets and paths that the tests of the way out share."""

from ringfence.crypto.suites import Encryption
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Spd
from ringfence.datapath.engine import DataPath
from ringfence.net.address import parse_address
from ringfence.net.ip import build_v4
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import seeded

GCM, AH_SUITE = esp_suite(Encryption.AES_GCM_16), AH_SUITES[2]
US, PEER, THIRD = map(parse_address, ("192.0.2.1", "192.0.2.2", "192.0.2.3"))
T = Mode.TUNNEL


def datagram(octets=100, *, source=US, destination=PEER, ports=(1000, 80), df=False, number=7):
    """Of ``octets`` in all."""
    payload = ports[0].to_bytes(2) + ports[1].to_bytes(2) + bytes(octets - 24)
    return build_v4(source, destination, 17, len(payload), dont_fragment=df, identification=number) + payload


def packets_of(verdicts):
    return [packet for verdict in verdicts for packet in verdict.packets]


def path_with(*entries, limits=None):
    path = DataPath(random=seeded(), limits=limits)
    assert path.apply(Spd(entries), 0.0) == []
    return path


NET = Selector.between("192.0.2.0/24", "192.0.2.0/24")
