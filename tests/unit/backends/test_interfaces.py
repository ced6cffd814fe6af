# SPDX-License-Identifier: Apache-2.0
"""What tells networks apart; files are as the programs write them."""

from pathlib import Path

import pytest

from ringfence.backends.addresses import LinkAddresses
from ringfence.backends.interfaces import default_routes, interfaces, last_lease
from ringfence.net.address import parse_address
from ringfence.policy.networks import Interface
from ringfence.policy.scope import LinkKind

ME = parse_address("10.0.0.5")
ETHERNET = LinkAddresses(2, "eth0", 1, (ME,))
ROUTE = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth1\t00000000\t0200000A\t0003\t0\t0\t200\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def only(root: Path, link: LinkAddresses = ETHERNET) -> Interface:
    (found,) = interfaces([link], root)
    return found


@pytest.mark.parametrize(
    ("hardware", "kind"),
    [(1, LinkKind.LAN), (801, LinkKind.WIRELESS), (512, LinkKind.REMOTE_ACCESS), (65534, LinkKind.REMOTE_ACCESS)],
)
def test_kinds(tmp_path: Path, hardware: int, kind: LinkKind) -> None:
    assert only(tmp_path, LinkAddresses(3, "x0", hardware, (ME,))) == Interface("x0", kind, (ME,))


@pytest.mark.parametrize("file", ["wireless", "phy80211"])
def test_what_sysfs_says_of_wireless(tmp_path: Path, file: str) -> None:
    (tmp_path / "sys/class/net/eth0" / file).mkdir(parents=True)
    assert only(tmp_path).kind is LinkKind.WIRELESS


def test_gateways_of_each_interface(tmp_path: Path) -> None:
    put(tmp_path, "proc/self/net/route", ROUTE)
    assert default_routes(tmp_path) == {"eth0": (parse_address("10.0.0.1"),), "eth1": (parse_address("10.0.0.2"),)}
    assert only(tmp_path).gateways == (parse_address("10.0.0.1"),)


def test_suffixes_of_the_whole_host_count_where_a_default_route_is(tmp_path: Path) -> None:
    put(tmp_path, "etc/resolv.conf", "nameserver 10.0.0.1\nsearch Corp.Example. lab\n")
    assert only(tmp_path).suffixes == ()
    put(tmp_path, "proc/self/net/route", ROUTE)
    assert only(tmp_path).suffixes == ("corp.example", "lab")
    put(tmp_path, "run/systemd/resolve/netif/2", "DOMAINS=hq.example ~internal.example\n")
    assert only(tmp_path).suffixes == ("hq.example",), "but what is said of this interface comes first"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("run/systemd/netif/links/2", 'DNS=10.0.0.1\nDOMAINS="corp.example"\n'),
        ("run/systemd/netif/leases/2", "ADDRESS=10.0.0.5\nDOMAINNAME=corp.example\n"),
        ("var/lib/NetworkManager/internal-1-eth0.lease", "ADDRESS=10.0.0.5\nDOMAINNAME=corp.example\n"),
        (
            "var/lib/dhcp/dhclient.eth0.leases",
            'lease {\n  fixed-address 10.0.0.5;\n  option domain-name "old.example";\n}\n'
            'lease {\n  fixed-address 10.0.0.5;\n  option domain-name "corp.example";\n}\n',
        ),
    ],
)
def test_suffixes_of_one_interface(tmp_path: Path, file: str, text: str) -> None:
    put(tmp_path, file, text)
    assert only(tmp_path).suffixes == ("corp.example",)
    assert only(tmp_path, LinkAddresses(7, "eth7", 1, (ME,))).suffixes == ()


def test_a_lease_of_another_network_says_nothing(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/NetworkManager/internal-1-eth0.lease", "ADDRESS=192.0.2.5\nDOMAINNAME=corp.example\n")
    assert only(tmp_path).suffixes == ()


def test_the_last_lease_counts() -> None:
    assert last_lease("lease {\n a\n}\nlease {\n b\n}\n") == "lease {\n b\n}\n"
    assert last_lease("ADDRESS=10.0.0.5\n") == "ADDRESS=10.0.0.5\n"
