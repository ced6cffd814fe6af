# SPDX-License-Identifier: Apache-2.0
"""Objects of a store while a script makes them."""

from dataclasses import replace

from ringfence.policy.ipfilter import parse_filter
from ringfence.transfer.netsh.drafts import ListDraft
from ringfence.transfer.netsh.script import Line


def test_a_list_keeps_the_order_and_the_descriptions() -> None:
    first, second = parse_filter("me <-> any"), parse_filter("me -> any")
    draft = ListDraft(Line("a:1", (), ""), "l", "all", {first: "one", second: ""})
    assert draft.value.filters == (replace(first, description="one"), second)
    assert (draft.value.name, draft.value.description) == ("l", "all")
