# SPDX-License-Identifier: Apache-2.0
"""Writes the corpus of the fuzzers: a life of two hosts in either version, message by message and payload by payload.

    python tests/fuzz/seeds.py      writes tests/fuzz/corpus anew; what fuzzers found stays

Lives repeat octet for octet, so what is written changes only with what is said.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).parent
# As a script it is not where pytest finds what it imports, so the imports come behind this.
sys.path[:0] = [str(FOLDER.parent), str(FOLDER.parents[1])]

from fuzz.objects import small_objects  # noqa: E402
from fuzz.opened import POLICIES, Sealed, life  # noqa: E402
from fuzz.targets import CORPUS  # noqa: E402
from protocol.pairs import pair  # noqa: E402

from ringfence.ike.header import HEADER_OCTETS  # noqa: E402
from ringfence.ike.payload import decode_chain  # noqa: E402
from ringfence.ike.v1 import payloads as v1  # noqa: E402
from ringfence.ike.v2 import payloads as v2  # noqa: E402
from ringfence.wire import DecodeError  # noqa: E402

PAYLOADS = {1: v1.PAYLOADS, 2: v2.PAYLOADS}
MOST_EXCHANGES = 12


def chains(version: int) -> list[Sealed]:
    """What is said in a life, before it is sealed."""
    return life(version, lambda _count, sealed: sealed)


def payloads(version: int) -> dict[str, bytes]:
    """One of each kind that is said."""
    kinds = {kind.NUMBER: place for place, kind in enumerate(PAYLOADS[version])}
    found: dict[str, bytes] = {}
    for first, octets in chains(version):
        try:
            chain = decode_chain(first, octets, {})
        except DecodeError:
            continue
        for item in chain.items:
            number = item.payload.number
            if number in kinds:
                found.setdefault(f"payload-{number}", bytes([kinds[number]]) + item.body)
    return found


def messages(version: int) -> dict[str, bytes]:
    """Those of a negotiation, as they are on the wire."""
    both = pair(POLICIES[version], seed="seeds")
    both.wish(both.a)
    both.run(3)
    return {f"message-{number}": datagram for number, (_, _, datagram) in enumerate(both.network.seen)}


def strangers(version: int) -> dict[str, bytes]:
    """First messages, by day and under load."""
    first = messages(version)["message-0"]
    size = -(-(len(first) - HEADER_OCTETS) // 8)
    padded = first + bytes(HEADER_OCTETS + (size | 1) * 8 - len(first))
    return {"by-day": bytes([size & 0xFE]) + first, "under-load": bytes([size | 1]) + padded + padded}


def exchanges(version: int) -> dict[str, bytes]:
    """Messages that say what they say anyway, and so lead on to all that may come behind."""
    found = {}
    for number, (first, octets) in enumerate(chains(version)[:MOST_EXCHANGES]):
        found[f"chain-{number}"] = bytes([number, 0, 0, first]) + octets
        found[f"notify-{number}"] = bytes([number, 3, 0, 41 if version == 2 else 11, 0, 0, 0, 24])
    return found


def seeds() -> dict[str, dict[str, bytes]]:
    """All, by target and name."""
    made: dict[str, dict[str, bytes]] = {}
    for version in (1, 2):
        made[f"v{version}-payload"] = payloads(version)
        made[f"v{version}-message"] = messages(version)
        made[f"v{version}-stranger"] = strangers(version)
        made[f"v{version}-exchange"] = exchanges(version)
    made["registry-pol"] = small_objects()
    return made


def main() -> None:
    """Write them."""
    for target, named in seeds().items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("seed-*.bin"):
            old.unlink()
        for name, octets in named.items():
            (folder / f"seed-{name}.bin").write_bytes(octets)


if __name__ == "__main__":
    main()
