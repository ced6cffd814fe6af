# SPDX-License-Identifier: Apache-2.0
"""Packets as scapy builds and reads them."""

import pytest
from scapy.layers.eap import EAP

from ringfence.credentials.eap.errors import BadPacket
from ringfence.credentials.eap.packet import Code, Packet, Type


def test_scapy_reads_what_we_write():
    read = EAP(Packet(Code.RESPONSE, 7, Type.IDENTITY, b"alice").encode())
    assert (read.code, read.id, read.type, read.identity) == (2, 7, 1, b"alice")
    read = EAP(Packet(Code.SUCCESS, 9).encode())
    assert (read.code, read.id, len(read)) == (3, 9, 4)


def test_we_read_what_scapy_writes():
    assert Packet.decode(bytes(EAP(code=1, id=3, type=1))) == Packet(Code.REQUEST, 3, Type.IDENTITY)
    assert Packet.decode(bytes(EAP(code=4, id=3))) == Packet(Code.FAILURE, 3)


def test_octets_behind_the_length_do_not_count():
    assert Packet.decode(b"\1\1\0\6\1ab" + bytes(3)).data == b"a"


@pytest.mark.parametrize(
    "octets", [b"", b"\1\1\0", b"\1\1\0\3", b"\1\1\0\4", b"\1\1\0\7\1a", b"\0\1\0\5\1", b"\5\1\0\5\1"]
)
def test_what_is_no_packet_is_refused(octets):
    with pytest.raises(BadPacket):
        Packet.decode(octets)
