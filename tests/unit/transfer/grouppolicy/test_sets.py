# SPDX-License-Identifier: Apache-2.0
"""Sets as they stand in the registry."""

import pytest
from unit.transfer.grouppolicy.objects import registry

from ringfence.transfer.grouppolicy import sets
from ringfence.transfer.grouppolicy.sets import SHAPES, SetKind, SetSaid, is_default, read_sets
from ringfence.transfer.grouppolicy.values import Version

KEY = "Phase1AuthenticationSets\\{1}"


def only(values: dict[str, dict[str, str | int]]) -> SetSaid:
    (found,) = read_sets(registry(values))
    assert isinstance(found, SetSaid)
    return found


def test_a_set_and_its_suites_in_their_order() -> None:
    found = only({
        KEY: {"Version": "2.10", "Name": "domain", "Description": "d", "Odd": "kept"},
        f"{KEY}\\0001": {"Method": "Anonymous"},
        f"{KEY}\\0000": {"Method": "machinekerb"},
    })  # fmt: skip
    assert (found.kind, found.id, found.title, found.origin) == (SetKind.AUTH1, "{1}", "domain", "gpo")
    assert [suite.one(sets.FIRST_METHOD) for _, suite in found.suites] == ["MachineKerb", "Anonymous"]
    assert found.head.version == Version(2, 10)
    assert ("Odd", "kept") in found.head.fields
    assert not found.is_default


@pytest.mark.parametrize("kind", SetKind)
def test_the_default_set_has_its_own_id_again(kind: SetKind) -> None:
    parent = SHAPES[kind].keys[0]
    found = only({parent: {SHAPES[kind].default.lower(): "{9}"}, f"{parent}\\{{9}}": {"Version": "2.10"}})
    assert found.is_default
    assert found.title == SHAPES[kind].default
    assert not is_default(kind, "{9}")


@pytest.mark.parametrize("key", ["Phase1AuthenticationSet", "Phase2AuthenticationSet"])
def test_the_other_name_of_a_key_is_read_too(key: str) -> None:
    assert only({f"{key}\\{{1}}": {"Version": "2.0"}}).id == "{1}"


def test_a_broken_suite_does_not_take_the_others_with_it() -> None:
    found = only({
        KEY: {"Version": "2.10"},
        f"{KEY}\\0000": {"Method": "Telepathy"},
        f"{KEY}\\0001": {"Method": "Anonymous"},
        f"{KEY}\\0002": {"Method": 1},
        f"{KEY}\\first": {"Method": "Anonymous"},
    })  # fmt: skip
    assert [key for key, _ in found.suites] == [f"{KEY}\\0001"]
    whys = dict(found.broken)
    assert whys[f"{KEY}\\0000"].startswith("its Method is Telepathy, which is none of Anonymous, MachineKerb")
    assert whys[f"{KEY}\\0002"] == "its Method is no text"
    assert whys[f"{KEY}\\first"] == "its key is called otherwise than by four digits"


def test_a_broken_set_is_told_with_its_key() -> None:
    (found,) = read_sets(registry({KEY: {"Version": "two"}}))
    assert found == (KEY, "gpo", "its Version is two, which is no version")


def test_each_value_of_a_later_version_says_who_has_to_skip_it() -> None:
    later = {one.name for shape in SHAPES.values() for one in shape.suite.values() if one.since > Version(2, 0)}
    assert set(sets.SKIPS) <= later
    assert sets.SKIPS["2_9Protocol"] == Version(2, 9)
