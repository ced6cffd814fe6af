# SPDX-License-Identifier: Apache-2.0
"""The key of a connection, and what is told where there is none."""

from ringfence.databases.identity import Identity
from ringfence.net.address import AddressRange
from ringfence.transfer.base import KeyFiles
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl.building import Draft
from ringfence.transfer.swanctl.keys import Secret
from ringfence.transfer.swanctl.proof import is_address, key_texts, preshared

SUN = AddressRange.parse("192.0.2.2")
DRAFT = Draft("Site A", 4, "connection a", remote_addrs=(SUN,))


def test_a_key_is_found_by_address_or_identity() -> None:
    keys, report = KeyFiles(), Report("x")
    by_address = Secret("one", 1, (Identity.of_address(SUN.first),), "k1")
    by_name = Secret("", 2, (Identity.parse("sun.example.org"),), "k2")
    assert preshared([by_name, by_address], keys, report, DRAFT, (None, None)).file == "one.psk"
    assert preshared([by_name], keys, report, DRAFT, (None, Identity.parse("sun.example.org"))).file == "site-a.psk"
    assert key_texts(keys, ["one.psk", "site-a.psk"]) == {"one.psk": "k1\n", "site-a.psk": "k2\n"}
    assert not report.left_out


def test_a_key_that_is_missing() -> None:
    keys, report = KeyFiles(), Report("x")
    assert preshared([], keys, report, DRAFT, (None, None)).file == "site-a.psk"
    assert key_texts(keys, ["site-a.psk"]) == {}
    assert report.left_out[0].cure == "Write the key into site-a.psk beside the document."


def test_identities_that_are_addresses() -> None:
    sun = Identity.of_address(SUN.first)
    assert is_address(sun, (SUN,))
    assert not is_address(sun, (SUN, AddressRange.parse("10.0.0.0/8")))
    assert not is_address(sun, ())
