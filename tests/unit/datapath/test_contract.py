# SPDX-License-Identifier: Apache-2.0
"""A contract's own facts: what fits, what it did, what it takes over."""

from itertools import count
from random import Random

from ringfence.crypto.suites import Encryption
from ringfence.databases.proposal import Limits, Protocol
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.datapath.contract import ChildStatistics, Contract
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.pmtu import TooBigNotice
from ringfence.net.address import PortRange
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child

GCM = esp_suite(Encryption.AES_GCM_16)


def contract(**words):
    return Contract(make_child(GCM, **words), PathLimits(), 5.0)


def test_what_fits_follows_the_path():
    one = contract(mode=Mode.TUNNEL)
    assert one.route.limit == one.limit(20) == 1500 - 20 - 8 - 8 - 16 - 2
    one.path_mtu.learn(TooBigNotice(b"", Protocol.ESP, 1, 1000, 1500), 0.0)
    one.measure()
    assert one.route.limit == 1000 - 20 - 8 - 8 - 16 - 2
    assert contract(local="2001:db8::1", remote="2001:db8::2").path_mtu._least == 1280


def test_padding_that_does_not_fit():
    assert not contract(mode=Mode.TUNNEL, tfc_octets=1400).padded_over
    assert contract(mode=Mode.TUNNEL, tfc_octets=1500).padded_over


def test_whether_ports_matter():
    hosts = make_child(GCM).selector
    web = Selector(hosts.source, hosts.destination, 6, destination_ports=PortRange.one(80))
    assert contract(selector=web).ported
    assert not contract().ported


def test_statistics():
    one = contract(hard=Limits(packets=9))
    assert one.statistics() == ChildStatistics(0, 0, 0, 0, 5.0, None, 1500)
    one.out.spend(2, 200, 6.0)
    one.into.spend(3, 300, 7.0)
    assert one.statistics() == ChildStatistics(3, 2, 300, 200, 5.0, 7.0, 1500)


def test_one_takes_over_from_another():
    old, new, stranger = contract(), contract(hard=Limits(packets=9)), contract(number=2)
    old.install_inbound()
    old.install_outbound(Random(1).randbytes, count().__next__)
    old.out.spend(2, 200, 6.0)
    new.succeed(old)
    assert (new.outlet, new.inlets) == (old.outlet, old.inlets)
    assert all(inlet.contract is new for inlet in new.inlets)
    assert (new.out.packets, new.out.hard.packets) == (2, 9)
    outlet = new.outlet
    new.install_inbound()
    new.install_outbound(Random(1).randbytes, count().__next__)
    assert new.outlet is outlet
    stranger.succeed(new)
    assert (stranger.outlet, stranger.inlets) == (None, [])
