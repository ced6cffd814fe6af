# SPDX-License-Identifier: Apache-2.0
from ringfence.control.edits import EditAnswer, Edited, ItemsAnswer, ItemView, RecordedEdit


def test_what_is_said_goes_through_json() -> None:
    view = ItemView(kind="filter", name="f", place="p:1", says={"name": "f", "block": "any"}, text="[[filter]]\n")
    for one in (
        Edited(document="/p", kind="filter", name="f", edit="added", change="x", behalf=1000),
        RecordedEdit(number=7),
        ItemsAnswer(document="p", items=[view]),
        EditAnswer(document="p", written=True, changes=[], diff="", applied="", lines=[]),
    ):
        assert type(one).model_validate_json(one.model_dump_json()) == one
