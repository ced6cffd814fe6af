# SPDX-License-Identifier: Apache-2.0
"""Vendor ids are recognised by how they begin."""

from ringfence.ike.v1.payloads import VendorPayload
from ringfence.ike.v1.vendors import PREFIXES, Vendor, announced, recognised
from ringfence.testing.script import message


def test_we_know_ourselves():
    assert recognised(message(*announced()).chain) == {Vendor.RINGFENCE, Vendor.DPD, Vendor.FRAGMENTATION}
    assert recognised(message(*announced(joins=False)).chain) == {Vendor.RINGFENCE, Vendor.DPD}


def test_others_with_a_version_behind():
    windows = VendorPayload(bytes.fromhex("1e2b516905991c7d7c96fcbfb587e461") + (8).to_bytes(4))
    dpd = VendorPayload(bytes.fromhex("afcad71368a1f1c96b8696fc77570100"))
    unknown = VendorPayload(b"somebody")
    assert recognised(message(windows, unknown, dpd).chain) == {Vendor.WINDOWS, Vendor.DPD, Vendor.RELIABLE_DELETE}
    windows_2000 = VendorPayload(bytes.fromhex("1e2b516905991c7d7c96fcbfb587e461") + (2).to_bytes(4))
    assert recognised(message(windows_2000).chain) == {Vendor.WINDOWS}, "it answers no delete"


def test_only_what_we_can_do_is_announced():
    """NAT traversal is announced by main mode itself, where it serves."""
    said = [payload.data for payload in announced()]
    can = (Vendor.RINGFENCE, Vendor.DPD, Vendor.FRAGMENTATION)
    others = [prefix for prefix, vendor in PREFIXES.items() if vendor not in can]
    assert not [one for one in said for prefix in others if one.startswith(prefix)]
    assert said[1] == bytes.fromhex("afcad71368a1f1c96b8696fc77570100")
