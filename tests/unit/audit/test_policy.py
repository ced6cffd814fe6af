# SPDX-License-Identifier: Apache-2.0
"""Events of policies."""

import pytest

from ringfence import audit


@pytest.mark.parametrize(
    ("kind", "edit", "number"),
    [
        ("connection security rule", "added", 5043),
        ("first authentication set", "deleted", 5042),
        ("filter", "added", 0),
    ],
)
def test_edits_have_windows_numbers(kind: str, edit: str, number: int) -> None:
    event = audit.PolicyEdited(document="p.toml", who="root (0)", kind=kind, name="x", edit=edit, change="")
    assert event.windows_id == number


def test_a_network_that_is_gone() -> None:
    event = audit.NetworkChanged(interface="eth0", profile="", why="", was="public")
    assert str(event) == "eth0 is in no network any more, until now public"
