# SPDX-License-Identifier: Apache-2.0
"""The contexts and commands of netsh that have to do with IPsec, and how a line finds its own among them.

A name may be cut short as long as only one in its context begins so; one written in full always wins. Every other
context of netsh is known by name, so that what is not carried over can be said to be of that context.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringfence.transfer.netsh.words import Word

Tree = Mapping[str, "Tree"]
LEAF: Tree = {}

STATIC: Tree = {
    "add": dict.fromkeys(("filter", "filteraction", "filterlist", "policy", "rule"), LEAF),
    "set": dict.fromkeys(
        ("batch", "defaultrule", "filteraction", "filterlist", "interactive", "policy", "rule", "store"), LEAF
    ),
    "delete": dict.fromkeys(("all", "filter", "filteraction", "filterlist", "policy", "rule"), LEAF),
    "exportpolicy": LEAF, "importpolicy": LEAF, "restorepolicyexamples": LEAF, "show": LEAF, "dump": LEAF,
    "help": LEAF, "?": LEAF,
}  # fmt: skip
DYNAMIC: Tree = {
    "add": dict.fromkeys(("mmpolicy", "qmpolicy", "rule"), LEAF),
    "set": dict.fromkeys(("config", "mmpolicy", "qmpolicy", "rule"), LEAF),
    "delete": dict.fromkeys(("all", "mmpolicy", "qmpolicy", "rule", "sa"), LEAF),
    "show": LEAF, "dump": LEAF, "help": LEAF, "?": LEAF,
}  # fmt: skip
RULES: Tree = {
    "add": {"rule": LEAF}, "set": {"rule": LEAF}, "delete": {"rule": LEAF},
    "show": LEAF, "dump": LEAF, "help": LEAF, "?": LEAF,
}  # fmt: skip
PROFILES = ("allprofiles", "currentprofile", "domainprofile", "privateprofile", "publicprofile")
ADVFIREWALL: Tree = {
    "consec": RULES, "mainmode": RULES, "firewall": RULES,
    "monitor": {"delete": LEAF, "show": LEAF, "dump": LEAF, "help": LEAF, "?": LEAF},
    "set": {"global": LEAF, "store": LEAF, **dict.fromkeys(PROFILES, LEAF)},
    "reset": LEAF, "export": LEAF, "import": LEAF, "show": LEAF, "dump": LEAF, "help": LEAF, "?": LEAF,
}  # fmt: skip
OTHERS = (
    "branchcache", "bridge", "dhcpclient", "dnsclient", "firewall", "http", "interface", "lan", "mbn", "namespace",
    "netio", "nap", "p2p", "ras", "routing", "rpc", "trace", "wcn", "wfp", "winhttp", "winsock", "wins", "wlan",
)  # fmt: skip
ROOT: Tree = {
    "ipsec": {"static": STATIC, "dynamic": DYNAMIC, "show": LEAF, "dump": LEAF, "help": LEAF, "?": LEAF},
    "advfirewall": ADVFIREWALL,
    **dict.fromkeys(OTHERS, LEAF),
    **dict.fromkeys(("add", "alias", "abort", "bye", "commit", "delete", "dump", "exec", "exit", "help", "offline",
                     "online", "popd", "pushd", "quit", "set", "show", "unalias", "?", ".."), LEAF),
}  # fmt: skip
CONTEXTS: tuple[Tree, ...] = (ROOT["ipsec"], STATIC, DYNAMIC, ADVFIREWALL, RULES, ADVFIREWALL["monitor"])

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Where words lead."""

    path: Path
    rest: tuple[Word, ...]
    """Those behind the command's name."""
    context: bool
    """Whether they lead into a context, and name no command."""


def at(path: Path) -> Tree:
    """What there is below ``path``."""
    tree = ROOT
    for name in path:
        tree = tree[name]
    return tree


def find(words: Sequence[Word], context: Path) -> Found | None:
    """The command that ``words`` name in ``context``, or from the root; None when there is none."""
    for start in dict.fromkeys((context, ())):
        found = _walk(words, start)
        if found is not None:
            return found
    return None


def _walk(words: Sequence[Word], start: Path) -> Found | None:
    tree, path = at(start), start
    for number, word in enumerate(words):
        if not tree:
            return Found(path, tuple(words[number:]), context=False)
        name = None if word.tag else complete(word.text, tree)
        if name is None:
            return None
        tree, path = tree[name], (*path, name)
    if tree and not any(tree is one for one in CONTEXTS):
        return None
    return Found(path, (), context=bool(tree)) if path != start else None


def complete(text: str, names: Mapping[str, object] | Sequence[str]) -> str | None:
    """The name that ``text`` is or alone begins; None when there is none or more than one."""
    text = text.lower()
    if text in names:
        return text
    begun = [name for name in names if name.startswith(text)] if text else []
    return begun[0] if len(begun) == 1 else None
