# SPDX-License-Identifier: Apache-2.0
"""How a line finds its command."""

import pytest

from ringfence.transfer.netsh.tree import Path, complete, find
from ringfence.transfer.netsh.words import cut


@pytest.mark.parametrize(
    ("line", "context", "path", "rest"),
    [
        ("ipsec static add filter a", (), ("ipsec", "static", "add", "filter"), 1),
        ("ips st a filtera x y", (), ("ipsec", "static", "add", "filteraction"), 2),
        ("add filterl x", ("ipsec", "static"), ("ipsec", "static", "add", "filterlist"), 1),
        ("del rule all pol", ("ipsec", "static"), ("ipsec", "static", "delete", "rule"), 2),
        ("adv cons add rule name=x", (), ("advfirewall", "consec", "add", "rule"), 1),
        ("adv set currentprofile state on", (), ("advfirewall", "set", "currentprofile"), 2),
        ("firewall set opmode disable", (), ("firewall",), 3),
        ("advfirewall show", ("ipsec", "static"), ("advfirewall", "show"), 0),
        ("..", ("ipsec",), ("..",), 0),
    ],
)
def test_commands(line: str, context: Path, path: Path, rest: int) -> None:
    found = find(cut(line), context)
    assert found is not None
    assert (found.path, len(found.rest), found.context) == (path, rest, False)


@pytest.mark.parametrize(
    ("line", "path"),
    [("ipsec", ("ipsec",)), ("ipsec dyn", ("ipsec", "dynamic")), ("adv main", ("advfirewall", "mainmode"))],
)
def test_contexts(line: str, path: Path) -> None:
    found = find(cut(line), ())
    assert found is not None
    assert (found.path, found.context) == (path, True)


@pytest.mark.parametrize("line", ["ipsec static add", "ipsec static frob", "frob", "ipsec s a f", "name=x", "d"])
def test_no_command(line: str) -> None:
    assert find(cut(line), ()) is None


def test_complete() -> None:
    assert complete("ADD", ("add", "addition")) == "add"
    assert complete("addi", ("add", "addition")) == "addition"
    assert complete("a", ("add", "addition")) is None
    assert complete("", ("add",)) is None
