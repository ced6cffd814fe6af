# SPDX-License-Identifier: Apache-2.0
"""The objects that a script has made so far, and what the NetSecurity cmdlets do with them.

A script is read as if it began on a computer without any of these. Objects lie in the policy store that is said when
they are made; a command that names a store reaches those in it, as on Windows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ringfence.transfer.powershell.binding import Bound as Arguments
from ringfence.transfer.powershell.binding import NotKnown, Refused
from ringfence.transfer.powershell.evaluate import like, same
from ringfence.transfer.powershell.parameters import CONTENT, DEFAULTS, Cmdlet, Use
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.values import (
    DEFAULT_NAMES,
    PROPOSALS,
    Kind,
    Thing,
    Value,
    items_of,
    text_of,
    unknown_in,
)

LOCAL_STORES = ("", "persistentstore", "localhost")
ALL_STORES = ("activestore", "rsop")
SETS_OF = {
    Kind.PHASE1: Kind.AUTH_PROPOSAL,
    Kind.PHASE2: Kind.AUTH_PROPOSAL,
    Kind.MAIN_MODE_CRYPTO: Kind.MAIN_MODE_PROPOSAL,
    Kind.QUICK_MODE_CRYPTO: Kind.QUICK_MODE_PROPOSAL,
}
PROFILE_NAMES = ("Domain", "Private", "Public")
ABSENT = "there is none that the script has made, and what Windows has itself is not known here"

Bound = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command asks of objects."""

    cmdlet: Cmdlet
    bound: Bound
    found: list[Thing]
    line: int

    def passed(self, things: list[Thing]) -> list[Thing]:
        """``things`` if the command says that it hands them on."""
        return things if self.bound.get("PassThru") else []


class Session:
    """The objects of one script."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.things: list[Thing] = []
        self._numbers = 0
        self._stores = {*LOCAL_STORES, *ALL_STORES}
        """Of which nothing has to be said any more."""
        self._verbs: dict[str, Callable[[Asked], list[Thing]]] = {
            "Set": self._set, "Remove": self._remove, "Enable": self._enable, "Disable": self._enable,
            "Rename": self._rename, "Copy": self._copy,
        }  # fmt: skip
        self.setting = self._add(Thing(Kind.SETTING, {}, 0))
        self.profiles = [self._add(Thing(Kind.PROFILE, {"Name": name}, 0)) for name in PROFILE_NAMES]

    def _add(self, thing: Thing) -> Thing:
        self._numbers += 1
        thing.number = self._numbers
        self.things.append(thing)
        return thing

    def of(self, kind: Kind) -> list[Thing]:
        """All objects of a kind, in the order of their making."""
        return [one for one in self.things if one.kind is kind]

    def execute(self, cmdlet: Cmdlet, bound: Bound, given: tuple[Value, ...] | None, line: int) -> tuple[Value, ...]:
        """What the cmdlet gives; raises Refused and NotKnown. ``given`` comes through a pipeline."""
        self._mention(bound, line)
        if bound.get("WhatIf"):
            self.report.note(line, cmdlet.name, "-WhatIf changes nothing")
            return ()
        if cmdlet.verb == "New":
            return (self._new(cmdlet, bound, line),)
        if cmdlet.verb == "Show":
            self.report.note(line, cmdlet.name, "it only shows something")
            return ()
        found = self._select(cmdlet, bound, given)
        if cmdlet.verb != "Get":
            if not found and given is None:
                self._absent(cmdlet, bound, line)
            found = self._verbs[cmdlet.verb](Asked(cmdlet, bound, found, line))
        return tuple(one.copy() for one in found)

    def doubt(self, cmdlet: Cmdlet, bound: Arguments, given: tuple[Value, ...] | None, line: int) -> None:
        """What a command changes whose arguments are not all known is not known either, if at least its objects are."""
        content = {one.name for one in cmdlet.parameters if one.use is Use.CONTENT}
        if cmdlet.verb != "Set" or not content.issuperset(bound.unknown) or cmdlet.kind in (Kind.SETTING, Kind.PROFILE):
            return
        for one in self._select(cmdlet, bound.values, given):
            one.doubt = line

    def _mention(self, bound: Bound, line: int) -> None:
        if (said := bound.get("CimSession")) is not None:
            self.report.note(
                line, f"-CimSession {text_of(said)}", "the document is for one computer, whichever that is"
            )
        for name in ("PolicyStore", "GPOSession"):
            store = text_of(bound.get(name))
            if store.lower() not in self._stores:
                self._stores.add(store.lower())
                self.report.note(line, f"-{name} {store}", "it becomes one document, whatever store it was for")

    def _absent(self, cmdlet: Cmdlet, bound: Bound, line: int) -> None:
        named = next(
            (bound[name] for name in ("DisplayName", cmdlet.places[0] if cmdlet.places else "") if name in bound), None
        )
        words = " ".join([cmdlet.name, *(f'"{text_of(one)}"' for one in items_of(named))])
        if cmdlet.verb == "Remove":
            if "ErrorAction" not in bound:
                self.report.note(line, words, "there is none that the script has made")
        else:
            self.report.leave(line, words, ABSENT)

    # -- which objects

    def _select(self, cmdlet: Cmdlet, bound: Bound, given: tuple[Value, ...] | None) -> list[Thing]:
        if given is not None and cmdlet.kind is not Kind.SETTING:
            return self._handed(cmdlet, given)
        if "InputObject" in bound:
            return self._handed(cmdlet, items_of(bound["InputObject"]))
        asked = {
            one.name: items_of(bound[one.name])
            for one in cmdlet.parameters
            if one.use is Use.SELECT and one.name in bound
        }
        asked.pop("All", None)
        if cmdlet.verb == "Set" and not asked and cmdlet.kind not in (Kind.SETTING, Kind.PROFILE):
            raise Refused("it does not say which objects are meant")
        everywhere = cmdlet.kind in (Kind.SETTING, Kind.PROFILE)
        store = "ActiveStore" if everywhere else text_of(bound.get("PolicyStore"))
        return [
            one
            for one in self.of(cmdlet.kind)
            if _in_store(one, store) and all(_fits(one, name, values) for name, values in asked.items())
        ]

    def _handed(self, cmdlet: Cmdlet, given: tuple[Value, ...]) -> list[Thing]:
        """The objects behind copies, with what was changed of these."""
        found: list[Thing] = []
        for one in given:
            unknown = unknown_in(one)
            if unknown is not None:
                raise NotKnown(f"which objects are meant is not known, for {unknown.why}")
            if not isinstance(one, Thing) or one.kind is not cmdlet.kind:
                raise NotKnown("what belongs to other objects is not followed")
            mine = next((thing for thing in self.things if thing.number == one.number), None)
            if mine is None:
                raise Refused("what it is given has been removed")
            if cmdlet.verb == "Set":
                mine.values = dict(one.values)
            found.append(mine)
        return found

    # -- what is done with them

    def _new(self, cmdlet: Cmdlet, bound: Bound, line: int) -> Thing:
        kind = cmdlet.kind
        values = {
            one.name: bound[one.name] for one in cmdlet.parameters if one.use is Use.CONTENT and one.name in bound
        }
        if kind in PROPOSALS:
            if "PreSharedKey" in values:
                self.report.keys.add(text_of(values["PreSharedKey"]))
            return Thing(kind, values, line)
        if kind in SETS_OF:
            _check_proposals(kind, values)
        if kind is Kind.RULE and "IPsecRuleName" in values:
            values["Name"] = values.pop("IPsecRuleName")
        if not text_of(values.get("DisplayName")):
            if not text_of(values.get("Name")):
                raise Refused("it has no -DisplayName")
            self.report.note(line, cmdlet.name, "it has no -DisplayName, for which Windows would ask; its -Name serves")
        if values.pop("Default", False):
            values["Name"] = DEFAULT_NAMES[kind]
        store = text_of(bound.get("PolicyStore")) or text_of(bound.get("GPOSession"))
        thing = Thing(kind, values, line, store="" if store.lower() in LOCAL_STORES else store.lower())
        if thing.name and any(
            one.name.lower() == thing.name.lower() for one in self.of(kind) if one.store == thing.store
        ):
            raise Refused("there is one of that Name already")
        self._add(thing)
        values.setdefault("Name", f"{{00000000-0000-0000-0000-{thing.number:012}}}")
        return thing.copy()

    def _set(self, asked: Asked) -> list[Thing]:
        cmdlet, bound = asked.cmdlet, asked.bound
        names = {one.name for one in CONTENT[cmdlet.kind]} | {"Description", "Platform"}
        changes = {name: value for name, value in bound.items() if name in names and not _selects(cmdlet, name)}
        if "NewDisplayName" in bound:
            changes["DisplayName"] = bound["NewDisplayName"]
        if cmdlet.kind in SETS_OF and "Proposal" in changes:
            _check_proposals(cmdlet.kind, changes)
        for one in asked.found:
            one.values |= changes
            one.line = asked.line
        return asked.passed(asked.found)

    def _enable(self, asked: Asked) -> list[Thing]:
        for one in asked.found:
            one.values["Enabled"] = "True" if asked.cmdlet.verb == "Enable" else "False"
            one.line = asked.line
        return asked.passed(asked.found)

    def _remove(self, asked: Asked) -> list[Thing]:
        numbers = {one.number for one in asked.found}
        self.things = [one for one in self.things if one.number not in numbers]
        return asked.passed(asked.found)

    def _rename(self, asked: Asked) -> list[Thing]:
        new = text_of(asked.bound.get("NewName"))
        if not new:
            raise Refused("it has no -NewName")
        if len(asked.found) > 1:
            raise Refused("several objects cannot have one Name")
        for one in asked.found:
            one.values["Name"] = new
        return asked.passed(asked.found)

    def _copy(self, asked: Asked) -> list[Thing]:
        if "NewPolicyStore" in asked.bound or "NewGPOSession" in asked.bound:
            why = "a copy in another store would be there twice in one document"
            self.report.note(asked.line, asked.cmdlet.name, why)
            return []
        new = text_of(asked.bound.get("NewName"))
        if len(asked.found) > 1 or not new:
            raise Refused("a copy in the same store needs a -NewName of its own")
        return asked.passed(
            [
                self._add(Thing(one.kind, {**one.values, "Name": new}, asked.line, store=one.store))
                for one in asked.found
            ]
        )


def _selects(cmdlet: Cmdlet, name: str) -> bool:
    return any(one.name == name and one.use is Use.SELECT for one in cmdlet.parameters)


def _check_proposals(kind: Kind, values: Bound) -> None:
    proposals = items_of(values.get("Proposal"))
    if not proposals:
        raise Refused("it has no -Proposal")
    if any(not isinstance(one, Thing) or one.kind is not SETS_OF[kind] for one in proposals):
        raise Refused(f"-Proposal takes what New-{SETS_OF[kind].value} gives")


def _in_store(thing: Thing, store: str) -> bool:
    wanted = store.lower()
    if wanted in ALL_STORES:
        return True
    return thing.store == ("" if wanted in LOCAL_STORES else wanted)


def _fits(thing: Thing, name: str, values: tuple[Value, ...]) -> bool:
    if name in ("Name", "IPsecRuleName"):
        return any(like(thing.name, text_of(one)) for one in values)
    if name == "DisplayName":
        return any(like(thing.title, text_of(one)) for one in values)
    if name == "DisplayGroup":
        name = "Group"
    own = items_of(thing.values.get(name, DEFAULTS.get(name)))
    return any(same(mine, one) or like(text_of(mine), text_of(one)) for mine in own for one in values)
