# SPDX-License-Identifier: Apache-2.0
"""Capture files as every packet analyser reads them: the classic libpcap format, written and read in order.

A file header says the byte order, the resolution of time stamps and the link type; a header before each packet says
when it was seen and how much of it was kept.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

from ringfence.errors import IpsecError

ETHERNET = 1
RAW_IP = 101

FILE = Struct("<IHHiIII")
PACKET = Struct("<IIII")
MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
SNAP_OCTETS = 262_144


class BadCapture(IpsecError):
    """A file is no capture, or ends in the middle of one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One packet as it was seen."""

    at: float
    """Seconds since 1970, UTC."""
    octets: bytes
    """From the link layer's first octet on."""


class PcapWriter:
    """Writes frames to a binary file that stays the caller's."""

    def __init__(self, file: BinaryIO, link_type: int = ETHERNET) -> None:
        self._file = file
        file.write(FILE.pack(NANOSECONDS, 2, 4, 0, 0, SNAP_OCTETS, link_type))

    def write(self, frame: Frame) -> None:
        """Append one frame."""
        seconds, rest = divmod(round(frame.at * 1_000_000_000), 1_000_000_000)
        self._file.write(PACKET.pack(seconds, rest, len(frame.octets), len(frame.octets)) + frame.octets)


def read_pcap(file: BinaryIO) -> Iterator[Frame]:
    """The frames of a capture in either byte order; raises BadCapture."""
    head = file.read(FILE.size)
    order = next((mark for mark in "<>" if _resolution(mark, head)), None)
    if order is None:
        raise BadCapture("this is no capture in pcap format", cure="Other formats: editcap -F pcap FILE NEW")
    scale = _resolution(order, head)
    packet = Struct(order + "IIII")
    while piece := file.read(packet.size):
        try:
            seconds, rest, kept, _ = packet.unpack(piece)
        except struct.error as error:
            raise BadCapture("the capture ends in the middle of a packet's header") from error
        octets = file.read(kept) if kept <= SNAP_OCTETS else b""
        if len(octets) != kept:
            raise BadCapture("the capture ends in the middle of a packet")
        yield Frame(seconds + rest / scale, octets)


def _resolution(order: str, head: bytes) -> int:
    if len(head) < FILE.size:
        return 0
    (magic,) = Struct(order + "I").unpack_from(head)
    return {MICROSECONDS: 1_000_000, NANOSECONDS: 1_000_000_000}.get(magic, 0)
