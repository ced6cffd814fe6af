# SPDX-License-Identifier: Apache-2.0
"""What the files of resolvers and DHCP clients say; they are as those programs write them."""

from pathlib import Path

import pytest

from ringfence.backends.addresses import LinkAddresses, LocalAddresses
from ringfence.backends.hostfacts import default_gateways, facts_of, host_facts, name_servers
from ringfence.net.address import format_address, parse_address
from ringfence.policy.document import parse

ME = parse_address("10.0.0.5")
ROUTE = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""
ROUTE6 = """\
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 \
00000064 00000001 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 \
ffffffff 00000001 00000000 00200200       lo
"""
DHCLIENT = """\
lease {
  interface "eth0";
  fixed-address 10.0.0.5;
  option dhcp-server-identifier 10.0.0.9;
}
lease {
  interface "eth0";
  fixed-address 10.0.0.5;
  option routers 10.0.0.1;
  option dhcp-server-identifier 10.0.0.2;
  option netbios-name-servers 10.0.0.3, 10.0.0.4;
}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        "ringfence.backends.addresses.local_addresses",
        lambda: LocalAddresses((ME,), (), (LinkAddresses(2, "eth0", 1, (ME,)),)),
    )
    return tmp_path


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def words(addresses: tuple[bytes, ...]) -> list[str]:
    return list(map(format_address, addresses))


def test_a_host_without_any_file(root: Path) -> None:
    facts = host_facts(root)
    assert (facts.own, [one.name for one in facts.interfaces]) == ((ME,), ["eth0"])
    assert (facts.dns_servers, facts.dhcp_servers, facts.wins_servers, facts.default_gateways) == ((), (), (), ())


def test_name_servers(root: Path) -> None:
    put(root, "etc/resolv.conf", "# me\nnameserver 10.0.0.53\n nameserver fd00::35\nnameserver nonsense\nsearch corp\n")
    assert words(name_servers(root)) == ["10.0.0.53", "fd00::35"]
    put(root, "etc/resolv.conf", "nameserver 127.0.0.53\n")
    assert name_servers(root) == ()
    put(root, "run/systemd/resolve/resolv.conf", "nameserver 10.0.0.54\n")
    assert words(name_servers(root)) == ["10.0.0.54"], "those that the resolver of this computer asks"


def test_default_gateways(root: Path) -> None:
    put(root, "proc/self/net/route", ROUTE)
    put(root, "proc/self/net/ipv6_route", ROUTE6)
    assert words(default_gateways(root)) == ["10.0.0.1", "fe80::1"]


def test_leases_that_are_ours(root: Path) -> None:
    put(root, "var/lib/dhcp/dhclient.eth0.leases", DHCLIENT)
    put(root, "run/systemd/netif/leases/2", "ADDRESS=10.0.0.5\nSERVER_ADDRESS=10.0.0.7\n")
    put(root, "var/lib/NetworkManager/internal-x-eth0.lease", "ADDRESS=192.0.2.5\nSERVER_ADDRESS=192.0.2.1\n")
    facts = host_facts(root)
    assert words(facts.dhcp_servers) == ["10.0.0.2", "10.0.0.7"], "not that of a network where we are no more"
    assert words(facts.wins_servers) == ["10.0.0.3", "10.0.0.4"]


def test_wins_servers_of_samba(root: Path) -> None:
    put(root, "etc/samba/smb.conf", "[global]\n  wins server = 10.0.0.8\n")
    assert words(host_facts(root).wins_servers) == ["10.0.0.8"]


def test_what_is_broken_says_nothing(root: Path) -> None:
    put(root, "etc/resolv.conf", "nameserver 10.0.0.300\nnameserver\n\0\xff")
    put(root, "run/systemd/netif/leases/2", "ADDRESS=10.0.0.5\nSERVER_ADDRESS=1.2\n")
    assert host_facts(root).dns_servers == host_facts(root).dhcp_servers == ()


def test_the_kernel_s_own_files_are_understood() -> None:
    assert all(len(one) in (4, 16) for one in default_gateways())


def test_names_are_looked_up_for_whoever_asks_once(root: Path) -> None:
    facts = facts_of(parse('[[filter]]\nname = "f"\nblock = "any"\nwith = "localhost."\n', name="p"))
    assert facts.own == (ME,)
    assert list(facts.names) == ["localhost"]
