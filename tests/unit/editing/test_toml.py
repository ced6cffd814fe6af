# SPDX-License-Identifier: Apache-2.0
"""What is written is read as the same."""

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.editing.toml import toml_dotted, toml_pair, toml_table, toml_value

VALUES = st.recursive(
    st.text() | st.integers(-(2**60), 2**60) | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_tables_are_read_back(table: dict[str, object]) -> None:
    assert tomllib.loads(toml_table("[x]", table))["x"] == table


def test_keys_have_quotes_where_they_need_them() -> None:
    assert toml_dotted(["main-mode", "a b"]) == 'main-mode."a b"'
    assert toml_value({"a b": [1, True, "x"]}) == '{ "a b" = [1, true, "x"] }'


def test_long_lists_have_a_line_for_each_element_and_signs_stand_in_their_column() -> None:
    assert toml_pair(["a"], "b", column=6) == 'a     = "b"'
    assert toml_pair(["long-name"], 1, column=6) == "long-name = 1"
    text = toml_pair(["filters"], [f"me <-> 10.0.0.{number}" for number in range(9)])
    assert text.splitlines()[1] == '  "me <-> 10.0.0.0",'
    assert len(tomllib.loads(text)["filters"]) == 9
