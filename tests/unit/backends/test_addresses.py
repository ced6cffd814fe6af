# SPDX-License-Identifier: Apache-2.0
"""This host's own addresses."""

import json
import subprocess

from ringfence.backends.addresses import GET_LINK, LINK_HEADER, NEW_LINK, _dump, local_addresses
from ringfence.net.address import format_address


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
