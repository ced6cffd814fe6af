# SPDX-License-Identifier: Apache-2.0
"""Who refers to an object by its name: a setting that is called as the object's kind is, and has its name."""

from collections.abc import Iterator, Mapping

from ringfence.editing.nouns import Noun
from ringfence.policy.decode import shown
from ringfence.policy.ipsec import SETTINGS
from ringfence.policy.source import Steps


def named_by(data: Mapping[str, object], noun: Noun, name: str) -> tuple[Steps, ...]:
    """The settings that refer to the object."""
    return tuple(steps for steps, value in _settings(data, ()) if steps[-1] == noun.key and value == name)


def subject(data: Mapping[str, object], steps: Steps) -> str:
    """Who has the setting there: ``rule "lab is isolated"``."""
    found: object = data
    parts: list[str] = []
    for step in steps[:-1]:
        if isinstance(found, dict) and isinstance(step, str):
            found = found.get(step)
            if parts == ["policy"] and step not in SETTINGS:  # [policy."NAME"]
                parts[-1] += f" {shown(step)}"
                continue
            parts.append(step.replace("-", " ") if isinstance(found, list | dict) else "")
        elif isinstance(found, list) and isinstance(step, int):
            found = found[step]
            title = _title(found)
            parts[-1] += f" {title}" if title else f" number {step + 1}"
    return ", ".join(part for part in parts if part)


def _title(data: object) -> str:
    if not isinstance(data, dict):
        return ""
    name = data.get("name") or data.get("filter-list")
    return shown(name) if isinstance(name, str) else ""


def _settings(value: object, steps: Steps) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, str):
        yield steps, value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _settings(one, (*steps, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _settings(one, (*steps, number))
