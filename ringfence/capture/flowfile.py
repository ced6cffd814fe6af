# SPDX-License-Identifier: Apache-2.0
"""Files that say who talked to whom: a capture, a conntrack listing, or a table (CSV).

The table's first line names its columns: ``protocol``, ``source`` and ``destination`` are needed; ``source_port``,
``destination_port``, ``icmp_type``, ``icmp_code`` and ``answered`` (yes or no) may be there, and be empty; TCP and UDP
need a column of destination ports. Blanks, dashes and capitals make no difference, other columns no harm.
"""

import csv
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import BinaryIO

from ringfence.capture.conntrack import is_listing, read_conntrack
from ringfence.capture.packets import conversations, ip_packets
from ringfence.capture.pcap import MICROSECONDS, NANOSECONDS, BadCapture
from ringfence.net.address import parse_address
from ringfence.net.conversation import Conversation
from ringfence.net.flow import ICMP, ICMPV6, PROTOCOL_NAMES, TCP, UDP, FlowKey

MAGICS = {number.to_bytes(4, order) for number in (MICROSECONDS, NANOSECONDS) for order in ("little", "big")}
PCAPNG = b"\x0a\x0d\x0d\x0a"
NEEDED = ("protocol", "source", "destination")
PROTOCOLS = {name: number for number, name in PROTOCOL_NAMES.items()}
ANSWERED = {"": True, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

CURE = (
    "It may be a capture in pcap format (tcpdump -w FILE), a listing (conntrack -L >FILE), or a table whose first line "
    "is protocol,source,source_port,destination,destination_port"
)


def read_flows(file: BinaryIO, *, name: str) -> tuple[Conversation, ...]:
    """The conversations in a file of any of these kinds, each once; raises BadCapture."""
    octets = file.read()
    if octets[:4] in MAGICS or octets[:4] == PCAPNG:
        return conversations(ip_packets(BytesIO(octets)))
    try:
        lines = octets.decode().splitlines()
    except UnicodeDecodeError as error:
        raise BadCapture("this is no list of flows", place=name, cure=CURE) from error
    first = next((line for line in lines if line.strip() and not line.startswith(("#", "conntrack v"))), "")
    if not first:
        return ()
    if is_listing(first):
        found = read_conntrack(lines, name=name)
    elif set(NEEDED) <= set(map(_column, first.split(","))):
        found = _table(lines, name)
    else:
        raise BadCapture("this is no list of flows", place=name, cure=CURE)
    try:
        return tuple(dict.fromkeys(found))
    except csv.Error as error:
        raise BadCapture(f"the table is not understood: {error}", place=name, cure=CURE) from error


def _table(lines: Sequence[str], name: str) -> Iterator[Conversation]:
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    rows = csv.DictReader((line for _, line in numbered), skipinitialspace=True)
    rows.fieldnames = [_column(column) for column in rows.fieldnames or ()]
    for (number, _), row in zip(numbered[1:], rows, strict=False):
        try:
            yield _row({key: value.strip() for key, value in row.items() if key and isinstance(value, str)})
        except (ValueError, KeyError) as error:
            raise BadCapture(f"this line is not understood: {_why(error)}", place=f"{name}:{number}") from error


def _column(word: str) -> str:
    return word.strip(' \t"').lower().replace(" ", "_").replace("-", "_")


def _why(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)


def _row(row: dict[str, str]) -> Conversation:
    source, destination = parse_address(row["source"]), parse_address(row["destination"])
    if len(source) != len(destination):
        raise ValueError("its addresses are of two families")
    word = row["protocol"].lower()
    protocol = PROTOCOLS[word] if word in PROTOCOLS else _number(word, "a protocol", 255)
    answered = row.get("answered", "").lower()
    if answered not in ANSWERED:
        raise ValueError(f'answered is "{answered}", but has to be yes or no')
    if protocol in (ICMP, ICMPV6):
        kind = row.get("icmp_type", "")
        port = _number(kind, "an ICMP type", 255) << 8 | _number(row.get("icmp_code") or "0", "an ICMP code", 255) \
            if kind else None  # fmt: skip
        return Conversation(FlowKey(source, destination, protocol, port, port), ANSWERED[answered])
    if protocol in (TCP, UDP) and "destination_port" not in row:
        raise KeyError("destination_port")
    ports = [_number(text, "a port", 65535) if (text := row.get(key, "")) else None
             for key in ("source_port", "destination_port")]  # fmt: skip
    return Conversation(FlowKey(source, destination, protocol, ports[0], ports[1]), ANSWERED[answered])


def _number(text: str, what: str, last: int) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= last):
        raise ValueError(f'"{text}" is not {what}')
    return int(text)
