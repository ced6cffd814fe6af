# SPDX-License-Identifier: Apache-2.0
"""tshark as a judge: what it says of packets that we made.

    seen = dissect([packet, ...], config=folder)        # with the tables of a KeyLog, or empty
    assert not seen[0].problems
    assert seen[0].all("isakmp.exchangetype") == ["2"]

Packets are whole IP packets. tshark runs with its defaults, whatever the user's own settings are.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ringfence.capture.pcap import RAW_IP, Frame, PcapWriter


@dataclass(frozen=True)
class Dissected:
    """One packet as tshark shows it: every field's name and value in its order."""

    fields: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """The values of every occurrence of a field."""
        return [value for field, value in self.fields if field == name]

    def one(self, name: str) -> str:
        """The value of a field that is there once."""
        (value,) = self.all(name)
        return value

    @property
    def problems(self) -> list[str]:
        """What tshark finds wrong: malformed parts, and every expert's word."""
        return [f"{name}: {value}" for name, value in self.fields if name.startswith(("_ws.malformed", "_ws.expert"))]


def missing() -> str:
    """What is not there, for ``unavailable``; empty when tshark can run."""
    return "" if shutil.which("tshark") else "tshark is not installed (package tshark)"


def dissect(packets: Iterable[bytes], *, config: Path | None = None, options: Iterable[str] = ()) -> list[Dissected]:
    """What tshark sees in IP packets; ``config`` is a directory of its settings, such as a key log."""
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder, "packets.pcap")
        with capture.open("wb") as file:
            writer = PcapWriter(file, RAW_IP)
            for number, packet in enumerate(packets):
                writer.write(Frame(number / 1000, packet))
        command = ["tshark", "-n", "-r", str(capture), "-T", "json", *options]
        environment = os.environ | {"WIRESHARK_CONFIG_DIR": str(config or folder)}
        done = subprocess.run(command, capture_output=True, check=True, timeout=60, env=environment)
    layers = json.loads(done.stdout, object_pairs_hook=list)
    return [Dissected(tuple(_flat(packet))) for packet in layers]


def _flat(value: object) -> Iterator[tuple[str, str]]:
    """Names and texts of a tree in which every object is a list of pairs, for a name may come twice."""
    for item in value if isinstance(value, list) else ():
        if isinstance(item, tuple) and len(item) == 2:
            name, inside = item
            if isinstance(inside, str):
                yield name, inside
            elif isinstance(inside, list) and all(isinstance(each, str) for each in inside):
                yield from ((name, each) for each in inside)
            else:
                yield name, ""
                yield from _flat(inside)
        else:
            yield from _flat(item)
