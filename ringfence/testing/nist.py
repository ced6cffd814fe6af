# SPDX-License-Identifier: Apache-2.0
"""Reads vector files of the form that NIST's validation programs write, which other publishers use as well.

[Taglen = 128]        holds for all records that follow
Key = 00ff            alone between blank lines: likewise
IV = 01               a record ends with a blank line
FAIL
"""

from collections.abc import Iterable, Iterator


def records(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Each record's values by their names in small letters; ``mark`` is a line that stands alone, such as FAIL."""
    lines = [*lines, ""]
    counts = any(line.lower().startswith("count") for line in lines)
    common: dict[str, str] = {}
    record: dict[str, str] = {}
    for line in lines:
        text = line.strip()
        if text.startswith("["):
            common.update(_fields(text.strip("[]")))
        elif text.startswith("#"):
            continue
        elif text:
            record.update(_fields(text) if "=" in text else {"mark": text})
        elif record:
            if counts and "count" not in record:
                common.update(record)
            else:
                yield common | record
            record = {}


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        name, separator, value = part.partition("=")
        if separator:
            yield name.strip().lower(), value.strip()
