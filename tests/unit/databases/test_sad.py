# SPDX-License-Identifier: Apache-2.0
"""The SAD: what arrives by SPI, what leaves by the newest contract that holds it."""

import pytest

from ringfence.crypto.suites import Encryption
from ringfence.databases.proposal import Protocol
from ringfence.databases.sad import Sad, SpiInUse
from ringfence.databases.selector import Selector
from ringfence.net.address import PortRange, parse_address
from ringfence.net.flow import FlowKey
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import make_child

GCM, AH = esp_suite(Encryption.AES_GCM_16), AH_SUITES[0]
US, PEER, THIRD = map(parse_address, ("192.0.2.1", "192.0.2.2", "192.0.2.3"))
WEB = FlowKey(US, PEER, 6, 1025, 80)


def test_a_packet_that_arrives_names_its_sa():
    sad, child = Sad(), make_child(GCM, AH)
    sad.add_inbound(child)
    for position, protocol in enumerate((Protocol.ESP, Protocol.AH)):
        found = sad.inbound(protocol, US, child.inbound[position].spi)
        assert (found.child, found.position, found.sa) == (child, position, child.inbound[position])
    spi = child.inbound[0].spi
    assert sad.inbound(Protocol.AH, US, spi) is None
    assert sad.inbound(Protocol.ESP, PEER, spi) is None
    assert sad.inbound(Protocol.ESP, US, spi + 7) is None
    assert sad.outbound("rule", WEB) is None


def test_a_packet_that_leaves_takes_the_newest():
    sad, old, new = Sad(), make_child(GCM, number=1), make_child(GCM, number=2)
    other = make_child(GCM, number=3, remote="192.0.2.3")
    for child in (old, new, other):
        sad.add_outbound(child)
    assert sad.outbound("rule", WEB) == new
    assert sad.outbound("rule", FlowKey(US, THIRD, 6, 1025, 80)) == other
    assert sad.outbound("another rule", WEB) is None
    assert sad.newer(old) == new
    assert sad.newer(new) is None
    sad.end_outbound(2)
    assert sad.outbound("rule", WEB) == old
    assert sad.child(2) == new
    assert sad.children() == (old, new, other)


def test_narrow_contracts_serve_what_they_hold():
    sad, wide = Sad(), make_child(GCM, number=1)
    web = Selector(wide.selector.source, wide.selector.destination, 6, destination_ports=PortRange.one(80))
    narrow = make_child(GCM, number=2, selector=web)
    sad.add_outbound(wide)
    sad.add_outbound(narrow)
    assert sad.outbound("rule", WEB) == narrow
    assert sad.outbound("rule", WEB._replace(destination_port=81)) == wide
    assert sad.newer(wide) is None


def test_one_spi_is_one_contracts():
    sad = Sad()
    sad.add_inbound(make_child(GCM, number=1))
    thief = make_child(GCM, number=1)
    object.__setattr__(thief, "id", 2)
    with pytest.raises(SpiInUse, match="0x00000281 is in use"):
        sad.add_inbound(thief)
    assert sad.child(2) is None
    sad.add_inbound(make_child(AH, number=1))  # the same contract again, with AH only
    assert sad.inbound(Protocol.ESP, US, 0x281) is None
    assert sad.inbound(Protocol.AH, US, 0x281).child.id == 1


def test_what_is_removed_is_gone_both_ways():
    sad, child = Sad(), make_child(GCM, AH)
    sad.add_inbound(child)
    sad.add_outbound(child)
    assert sad.find_outbound(Protocol.AH, PEER, child.outbound[1].spi) == child
    assert sad.find_outbound(Protocol.ESP, PEER, child.outbound[1].spi) is None
    assert sad.remove(1) == child
    assert sad.remove(1) is None
    assert len(sad) == 0
    assert sad.inbound(Protocol.ESP, US, child.inbound[0].spi) is None
    assert sad.outbound("rule", WEB) is None
    assert sad.find_outbound(Protocol.AH, PEER, child.outbound[1].spi) is None
