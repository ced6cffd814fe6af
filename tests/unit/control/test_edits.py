# SPDX-License-Identifier: Apache-2.0
from ringfence.control.edits import EditAnswer, ItemsAnswer, ItemView


def test_what_is_said_goes_through_json() -> None:
    view = ItemView(kind="filter", name="f", place="p:1", says={"name": "f", "block": "any"}, text="[[filter]]\n")
    for one in (
        ItemsAnswer(document="p", items=[view]),
        EditAnswer(document="p", written=True, changes=[], diff="", applied="", lines=[]),
    ):
        assert type(one).model_validate_json(one.model_dump_json()) == one
