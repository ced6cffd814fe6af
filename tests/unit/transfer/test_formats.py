# SPDX-License-Identifier: Apache-2.0
"""Which format a file is in."""

import pytest

from ringfence.policy.model import Policy
from ringfence.transfer import formats
from ringfence.transfer.base import Format, Imported


def test_most_lines_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(text: str, file: str) -> Imported:
        return Imported(Policy(name=file + text))

    a = Format("a", "A", lambda text, _: text.count("a"), read)
    b = Format("b", "B", lambda text, _: text.count("b"), read)
    silent = Format("c", "C", lambda text, _: 99)
    monkeypatch.setattr(formats, "FORMATS", (a, b, silent))
    assert formats.guess("abb", "x") is b
    assert formats.guess("aab", "x") is a
    assert formats.guess("ab", "x") is a
    assert formats.guess("zzz", "x") is None
    assert formats.named("B") is b
    assert formats.named("z") is None


def test_names_are_unique() -> None:
    names = [one.name for one in formats.FORMATS]
    assert len(names) == len(set(names))
    assert all(one.read or one.write for one in formats.FORMATS)
