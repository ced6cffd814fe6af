# SPDX-License-Identifier: Apache-2.0
"""This host's own addresses."""

import json
import subprocess

from ringfence.backends.addresses import GET_LINK, LINK_HEADER, NEW_LINK, _dump, _network, local_addresses
from ringfence.net.address import AddressRange, format_address, parse_address


def test_the_kernel_s_own_tool_says_the_same() -> None:
    told = subprocess.run(["ip", "-json", "address"], capture_output=True, text=True, check=True).stdout
    known = [one for link in json.loads(told) for one in link.get("addr_info", ()) if one]
    found = local_addresses()
    assert {format_address(one) for one in found.addresses} == {one["local"] for one in known}
    assert {format_address(one) for one in found.broadcasts} == {
        one["broadcast"] for one in known if "broadcast" in one
    }


def test_the_addresses_of_each_link_but_loopback() -> None:
    told = json.loads(subprocess.run(["ip", "-json", "address"], capture_output=True, text=True, check=True).stdout)
    links = [one for one in told if one.get("addr_info") and "LOOPBACK" not in one["flags"]]
    assert [(one.number, one.name, set(map(format_address, one.addresses))) for one in local_addresses().links] == [
        (one["ifindex"], one["ifname"], {address["local"] for address in one["addr_info"]}) for one in links
    ]
    assert [octets for octets in _dump(GET_LINK, NEW_LINK, LINK_HEADER.size) if LINK_HEADER.unpack_from(octets)[2] == 1]


def test_the_networks_of_its_links() -> None:
    told = json.loads(subprocess.run(["ip", "-json", "address"], capture_output=True, text=True, check=True).stdout)
    known = set()
    for link in told:
        for one in link.get("addr_info", ()) if "LOOPBACK" not in link["flags"] else ():
            known.add(str(AddressRange.parse(f"{one.get('address', one['local'])}/{one['prefixlen']}")))
            known.discard(one["local"])
    assert set(map(str, local_addresses().subnets)) == known
    assert local_addresses().subnets == tuple(
        sorted(local_addresses().subnets, key=lambda one: (len(one.first), one.first))
    )


def test_a_network_is_cut_to_its_length() -> None:
    assert str(_network(parse_address("10.1.2.3"), 20)) == "10.1.0.0/20"
    assert str(_network(parse_address("fd00::1:2"), 64)) == "fd00::/64"
