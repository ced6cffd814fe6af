# SPDX-License-Identifier: Apache-2.0
"""Main mode rules: which of them decides how two computers authenticate and agree on keys.

The first main mode rule of the document about both addresses decides, for all connection security rules between them;
where none is about them, each rule's own settings hold. The traffic of a rule may go to peers of several main mode
rules, so its addresses are taken apart by them. An IPsec policy has its own main mode, which no main mode rule changes.
"""

from collections.abc import Iterator
from dataclasses import replace

from ringfence.net.address import AddressRange
from ringfence.policy.cubes import Cubes
from ringfence.policy.errors import Finding, Severity
from ringfence.policy.model import MainModeRule, Policy, Rule
from ringfence.policy.settle import Settler

Piece = tuple[AddressRange, Rule]
"""Addresses of peers, and the rule with the main mode that goes with them."""


class MainModes:
    """Those of one policy on one computer."""

    def __init__(self, policy: Policy, cubes: Cubes) -> None:
        self._settler = Settler(policy)
        self._decided: dict[tuple[int, str], tuple[Rule, Rule]] = {}
        """A rule is kept beside what it came to, so that its number stays its own."""
        self._enabled = [rule for rule in policy.main_modes if rule.enabled]
        self._rules = [(rule, ends) for rule in self._enabled for ends in _ends(rule, cubes)]
        self._cubes = cubes
        self._main: dict[int, MainModeRule] = {}
        """Which one decided, by the number of what a rule came to."""
        self._deciding: set[str] = set()
        self._lost: dict[str, dict[str, None]] = {}
        """Those that others were before, by name."""

    def pieces(self, rule: Rule, local: AddressRange, remote: AddressRange) -> Iterator[Piece]:
        """``remote`` as far as it has one main mode with ``local`` each."""
        rest, before = [remote], dict[str, None]()
        for main, (here, there) in self._rules if not rule.part.filter_list else ():
            if not any(one.covers(local) for one in here):
                continue
            found: list[AddressRange] = []
            for theirs in there:
                found += [inside for piece in rest if (inside := piece.intersect(theirs)) is not None]
                rest = [part for piece in rest for part in without(piece, theirs)]
            if found:
                self._deciding.add(main.name)
                before[main.name] = None
            elif any(remote.intersect(theirs) is not None for theirs in there):
                self._lost.setdefault(main.name, {}).update(before)
            yield from ((piece, self._by(rule, main)) for piece in found)
        yield from ((piece, rule) for piece in rest)

    def deciding(self, rule: Rule) -> MainModeRule | None:
        """The one that decided on what ``pieces`` made of a rule; None where it is the rule's own main mode."""
        return self._main.get(id(rule))

    def findings(self) -> Iterator[Finding]:
        """Warnings about those that decided nothing so far, though they hold in a network of this computer."""
        own = self._cubes.situations
        for main in self._enabled:
            if main.name in self._deciding or not any(one.within(main.scope) for one in own):
                continue
            subject = f'main mode rule "{main.name}"'
            why, cure = "no connection security rule that protects is about its addresses", ""
            if main.name in self._lost:
                others = " and ".join(f'"{one}"' for one in self._lost[main.name])
                why = f"{others}, before it, decides for all its addresses"
                cure = "Of main mode rules the first one counts: put it first."
            yield Finding(
                f"{subject} decides nothing: {why}.", main.place, subject, cure=cure, severity=Severity.WARNING
            )

    def _by(self, rule: Rule, main: MainModeRule) -> Rule:
        """The rule with the terms of a main mode rule, the same object each time."""
        key = id(rule), main.name
        known = self._decided.get(key)
        if known is None:
            auth, mode = self._settler.main_mode(main)
            known = self._decided[key] = rule, replace(rule, auth=auth or rule.auth, main_mode=mode)
            self._main[id(known[1])] = main
        return known[1]


def _ends(rule: MainModeRule, cubes: Cubes) -> Iterator[tuple[list[AddressRange], list[AddressRange]]]:
    local, remote = cubes.ranges(rule.local, rule.scope), cubes.ranges(rule.remote)
    yield local, remote
    if rule.either_end:
        yield cubes.ranges(rule.remote, rule.scope), cubes.ranges(rule.local)


def without(one: AddressRange, other: AddressRange) -> Iterator[AddressRange]:
    """The addresses of ``one`` that are not in ``other``."""
    if one.intersect(other) is None:
        yield one
        return
    if one.first < other.first:
        yield AddressRange(one.first, _beside(other.first, -1))
    if other.last < one.last:
        yield AddressRange(_beside(other.last, 1), one.last)


def _beside(address: bytes, step: int) -> bytes:
    return (int.from_bytes(address) + step).to_bytes(len(address))
