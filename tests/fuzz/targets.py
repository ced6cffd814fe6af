# SPDX-License-Identifier: Apache-2.0
"""What is fuzzed of IKE and of Group Policy: each takes octets, and raises only where something is wrong with us.

    python tests/fuzz/targets.py TARGET [WORDS OF LIBFUZZER] [FOLDER…]     for ever, or as long as the words say

A parser may refuse by its own family of errors; what it accepts is written back in as many octets. The engines may not
raise at all.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

FOLDER = Path(__file__).parent
CORPUS = FOLDER / "corpus"


def targets() -> dict[str, Callable[[bytes], None]]:
    """By name; imported late, so that a fuzzer can watch what they run."""
    from fuzz import objects, opened, parsers

    return {
        "v1-payload": parsers.v1_payload,
        "v1-message": parsers.v1_message,
        "v2-payload": parsers.v2_payload,
        "v2-message": parsers.v2_message,
        "v1-stranger": lambda data: parsers.stranger(1, data),
        "v2-stranger": lambda data: parsers.stranger(2, data),
        "v1-exchange": lambda data: opened.exchange(1, data),
        "v2-exchange": lambda data: opened.exchange(2, data),
        "registry-pol": objects.registry_pol,
    }


def faulty(data: bytes) -> None:
    """To see that a fuzzer finds what is wrong; raises LookupError."""
    if data[:1] == b"!":
        raise LookupError("what a fuzzer has to find")


def one_of(several: list[Callable[[bytes], None]], data: bytes) -> None:
    """The first octet chooses the target."""
    if data:
        several[data[0] % len(several)](data[1:])


def main() -> None:
    """Fuzz one of them, ``any`` of them, or ``faulty``."""
    import atheris

    sys.path[:0] = [str(FOLDER.parent), str(FOLDER.parents[1])]
    name = sys.argv.pop(1)
    target: Callable[[bytes], None] = faulty
    if name != "faulty":
        with atheris.instrument_imports(include=["ringfence.ike", "ringfence.wire", "ringfence.transfer.grouppolicy"]):
            known = targets()
        target = partial(one_of, list(known.values())) if name == "any" else known[name]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
