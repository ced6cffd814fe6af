# SPDX-License-Identifier: Apache-2.0
"""Line ends survive an edit."""

import pytest

from ringfence.editing.lines import plain, restored


def test_a_text_of_unix_is_left_alone() -> None:
    assert restored("a\nb\n", "a\nc\nb\n") == "a\nc\nb\n"


def test_a_text_of_windows_gets_new_lines_of_its_own_kind() -> None:
    original = "a\r\nb\r\n"
    assert plain(original) == "a\nb\n"
    assert restored(original, "a\nnew\nb\n") == "a\r\nnew\r\nb\r\n"


@pytest.mark.parametrize("after", ["a\nb\nc", "a\nx\nb\nc", "b\nc", "a\nb\nc\n", ""])
def test_mixed_line_ends_stay_where_they_are(after: str) -> None:
    made = restored("a\r\nb\nc", after)
    assert plain(made) == after
    assert ("a\r\n" in made) == after.startswith("a")
    assert "b\r\n" not in made
