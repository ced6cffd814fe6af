# SPDX-License-Identifier: Apache-2.0
"""What the story leaves behind: the picture, and keys of which it is sure that they open the capture."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ringfence.capture.keylog import CIPHERS, ESP
from ringfence.crypto.suites import Cipher
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import Mode, Sa
from ringfence.datapath.esp import EspOpen, Opened
from ringfence.demo.packets import Seen
from ringfence.demo.picture import Arrow, Chapter, Kind, timeline
from ringfence.demo.stage import NAMES
from ringfence.net.address import parse_address
from ringfence.secret import Secret

TITLE = "Two computers, one contract"
LANES = ("alice", "bob", "mallory")
ETHERNET_AND_IP = 34


def draw(
    frames: Sequence[Seen], chapters: Iterable[tuple[int, Chapter]], attacks: set[int], stopped: set[int], began: float
) -> str:
    """The timeline of the story as SVG; ``attacks`` and ``stopped`` are numbers of frames."""
    rows: list[Arrow | Chapter] = []
    waiting = sorted(chapters, key=lambda pair: pair[0])
    for number, seen in enumerate(frames):
        while waiting and waiting[0][0] <= number:
            rows.append(waiting.pop(0)[1])
        source, destination = NAMES.get(seen.source), NAMES.get(seen.destination)
        if source is None or destination is None:
            continue
        attack = number in attacks
        if attack and source == "alice":  # a packet of hers that the attacker sent
            source = "mallory"
        kind = Kind.ATTACK if attack else seen.kind
        rows.append(Arrow(seen.at - began, source, destination, kind, seen.label, number in stopped))
    return timeline(TITLE, LANES, [*rows, *(chapter for _, chapter in waiting)])


def check_keys(directory: Path, frames: Iterable[Seen], wanted: bytes) -> bool:
    """Whether some captured packet holds ``wanted`` when it is opened with the logged keys alone."""
    openers = dict(_openers(directory / ESP))
    for seen in frames:
        opener = openers.get(seen.spi) if seen.kind is Kind.PROTECTED else None
        if opener is not None:
            found = opener.open(seen.frame[ETHERNET_AND_IP:])
            if isinstance(found, Opened) and wanted in bytes(found.payload):
                return True
    return False


def _openers(table: Path) -> Iterator[tuple[int, EspOpen]]:
    """From the key log's lines; only combined modes, which is what the story negotiates."""
    algorithms = {name: algorithm for algorithm, name in CIPHERS.items()}
    with table.open(newline="") as file:
        for _, source, destination, spi, name, key, *_rest in csv.reader(file):
            algorithm, octets = algorithms[name], bytes.fromhex(key.removeprefix("0x"))
            salt = 4
            sa = Sa(
                Protocol.ESP, int(spi, 16), Mode.TRANSPORT, parse_address(source), parse_address(destination),
                Cipher(algorithm, 8 * (len(octets) - salt)), Secret(octets), None, Secret(b""), replay_window=0,
            )  # fmt: skip
            yield sa.spi, EspOpen(sa)
