# SPDX-License-Identifier: Apache-2.0
"""Events of the packet path."""

from ringfence import audit


def test_dropped_packets_have_windows_number_for_their_reason() -> None:
    drop = audit.PacketDropped(reason="replayed", flow="tcp", spi="0x1", count=3)
    assert drop.fields()["windows_id"] == 4961
    assert str(drop) == "dropped tcp: replayed (3 times)"
