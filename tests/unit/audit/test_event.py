# SPDX-License-Identifier: Apache-2.0
"""Every event speaks to people and machines, and none can carry a key."""

from dataclasses import dataclass, fields

import pytest

from ringfence import audit
from ringfence.secret import Secret

EVENTS = [cls for cls in vars(audit).values() if isinstance(cls, type) and issubclass(cls, audit.Event)]
SAMPLES = {
    "str": "x", "int": 1, "bool": True, "int | None": None,
    "ringfence.databases.comparison.Comparison | None": None,
}  # fmt: skip


def sample(cls: type[audit.Event]) -> audit.Event:
    return cls(**{f.name: SAMPLES[getattr(f.type, "__name__", str(f.type))] for f in fields(cls)})


@pytest.mark.parametrize("cls", [cls for cls in EVENTS if cls is not audit.Event])
def test_an_event_speaks(cls: type[audit.Event]) -> None:
    event = sample(cls)
    plain = event.fields()
    assert plain["event"] == cls.NAME != "event"
    assert set(plain) == {f.name for f in fields(cls)} | {"event", "windows_id"}
    assert "=" not in str(event), "a sentence, not a dump"


def test_names_are_unique() -> None:
    assert len({cls.NAME for cls in EVENTS}) == len(EVENTS)


def test_a_key_in_an_event_is_a_mistake_that_shows() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Leaky(audit.Event):
        key: Secret

    with pytest.raises(TypeError, match="key"):
        Leaky(key=Secret(b"k")).fields()
