# SPDX-License-Identifier: Apache-2.0
"""What somebody on the way can see of a frame: from whom, to whom, and whatever is in clear."""

from dataclasses import dataclass

from ringfence.capture.pcap import Frame
from ringfence.demo.picture import Kind
from ringfence.ike.header import HEADER_OCTETS, Exchange, Flags, Header
from ringfence.net.address import format_address
from ringfence.net.flow import AH, ESP, ICMP, PROTOCOL_NAMES, TCP, UDP
from ringfence.net.ip import View, view

ETHERNET_OCTETS = 14
IKE_PORT, NAT_PORT = 500, 4500
TCP_FLAGS = ((0x04, "RST"), (0x02, "SYN"), (0x01, "FIN"), (0x10, "ACK"))
LABEL = 52
EXCHANGES: dict[int, str] = {
    Exchange.MAIN: "main mode",
    Exchange.QUICK: "quick mode",
    Exchange.INFORMATIONAL: "informational",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame, read by a stranger."""

    at: float
    """Seconds since 1970."""
    source: str
    destination: str
    kind: Kind
    label: str
    """A few words for a picture."""
    frame: bytes
    payload: bytes
    """Behind the headers that a stranger can read."""
    spi: int = 0
    sequence: int = 0
    """Of ESP."""


def read(frame: Frame) -> Seen | None:
    """A frame with an IP packet in it; None for anything else."""
    packet = frame.octets[ETHERNET_OCTETS:]
    parts = view(packet)
    if parts is None:
        return None
    body = packet[parts.at : parts.whole]
    kind, label, payload = _read(parts, body)
    spi = sequence = 0
    if parts.protocol == ESP and len(body) >= 8:
        spi, sequence = int.from_bytes(body[:4]), int.from_bytes(body[4:8])
    return Seen(
        frame.at, format_address(parts.source), format_address(parts.destination), kind, label, frame.octets, payload,
        spi, sequence,
    )  # fmt: skip


def _read(parts: View, body: bytes) -> tuple[Kind, str, bytes]:
    match parts.protocol:
        case protocol if protocol in (ESP, AH) and len(body) >= 8:
            spi, number = int.from_bytes(body[:4]), int.from_bytes(body[4:8])
            label = f"{PROTOCOL_NAMES[protocol].upper()} 0x{spi:08x} number {number}, {len(body)} octets"
            return Kind.PROTECTED, label, body[8:]
        case protocol if protocol == UDP and len(body) >= 8:
            return _udp(body)
        case protocol if protocol == TCP and len(body) >= 20:
            return Kind.CLEAR, *_tcp(body)
        case protocol if protocol == ICMP:
            return Kind.CLEAR, "ICMP", body
    return Kind.CLEAR, PROTOCOL_NAMES.get(parts.protocol, f"protocol {parts.protocol}"), body


def _udp(body: bytes) -> tuple[Kind, str, bytes]:
    ports, payload = {int.from_bytes(body[:2]), int.from_bytes(body[2:4])}, body[8:]
    if NAT_PORT in ports:
        if payload[:4] != bytes(4):
            return Kind.PROTECTED, f"ESP in UDP, {len(payload)} octets", payload
        payload = payload[4:]
    if (IKE_PORT in ports or NAT_PORT in ports) and len(payload) >= HEADER_OCTETS:
        header = Header.decode(payload[:HEADER_OCTETS])
        name = EXCHANGES.get(header.exchange, f"exchange {int(header.exchange)}")
        secret = ", encrypted" if Flags.ENCRYPTED in header.flags else ""
        return Kind.IKE, f"IKE {name}{secret}, {len(payload)} octets", payload
    return Kind.CLEAR, f"UDP, {len(payload)} octets", payload


def _tcp(body: bytes) -> tuple[str, bytes]:
    payload = body[(body[12] >> 4) * 4 :]
    if payload:
        line = payload.split(b"\r\n", 1)[0].decode("ascii", "replace")
        text = "".join(c if c.isprintable() else "." for c in line)
        return (text if len(text) <= LABEL else f"{text[: LABEL - 1]}…"), payload
    flags = [word for bit, word in TCP_FLAGS if body[13] & bit]
    return f"TCP {' '.join(flags)}", payload


def text_of(payload: bytes, most: int = 6) -> list[str]:
    """The first lines of a payload as a stranger sees them, dots for what is no text."""
    lines = payload.decode("latin-1").splitlines() or [""]
    return ["".join(c if " " <= c <= "~" else "." for c in line) for line in lines[:most]]


def dump(payload: bytes, octets: int = 16) -> str:
    """The first octets of a payload in hex, and as text."""
    piece = payload[:octets]
    text = "".join(chr(c) if 32 <= c < 127 else "." for c in piece)
    return f"{piece.hex(' ')}  {text}"
