# SPDX-License-Identifier: Apache-2.0
"""Who refers to whom."""

import tomllib

from ringfence.editing.nouns import FILTER_LIST
from ringfence.editing.references import named_by, subject

DATA = tomllib.loads("""
[[policy.rule]]
filter-list = "Web"
[[policy.rule]]
name = "two"
filter-list = "Web"
[[policy.rule]]
filter-list = "Other"
[[rule]]
x = { filter-list = "Web" }
[filter-list.Web]
""")


def test_settings_of_the_kinds_name_refer() -> None:
    found = named_by(DATA, FILTER_LIST, "Web")
    assert found == (
        ("policy", "rule", 0, "filter-list"),
        ("policy", "rule", 1, "filter-list"),
        ("rule", 0, "x", "filter-list"),
    )
    assert [subject(DATA, steps) for steps in found] == [
        'policy, rule "Web"',
        'policy, rule "two"',
        "rule number 1, x",
    ]
