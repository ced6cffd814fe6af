# SPDX-License-Identifier: Apache-2.0
"""Sizes of the records, GUIDs and texts as Windows keeps them."""

import pytest

from ringfence.stores.directory.records import Offer, Slot, guid_octets, guid_text, text_octets, text_of

SLOT = Slot(3, 2, 2, bytes.fromhex("4000000008000000"))


def test_sizes():
    assert len(SLOT.encode()) == 20
    assert len(Offer(900, 100_000, 0, 0, 1, (SLOT,) * 3).encode()) == 80


def test_guids():
    text = "{72385230-70FA-11D1-864C-14A300000000}"
    octets = bytes.fromhex("30523872fa70d111864c14a300000000")
    assert guid_octets(text) == octets == guid_octets(text.lower().strip("{}"))
    assert guid_text(octets) == text
    with pytest.raises(ValueError):
        guid_octets("{72385230}")


def test_texts():
    assert text_octets("ICMP") == bytes.fromhex("490043004d0050000000")
    assert [text_of(text_octets("ICMP")), text_of(b""), text_of(b"\0\0"), text_of(text_octets("a") + b"x\0")] == [
        "ICMP", "", "", "a",
    ]  # fmt: skip
    with pytest.raises(ValueError):
        text_of(b"\0")
