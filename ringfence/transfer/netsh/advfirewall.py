# SPDX-License-Identifier: Apache-2.0
"""``netsh advfirewall``: connection security rules, main mode rules, firewall rules and global settings of a script.

Rules are kept as what was said of them, so that ``set rule … new …`` and ``delete rule`` find them as netsh does, by
name and whatever else they say; what they mean is read after the last line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord, PolicyError
from ringfence.policy.model import Filter, MainModeRule, Policy, Rule
from ringfence.policy.terms import GlobalSettings, Kerberos
from ringfence.policy.write import canonical
from ringfence.transfer.consec import weighed
from ringfence.transfer.netsh.arguments import Arguments, Refused
from ringfence.transfer.netsh.consec import Said, read_main_mode, read_rule, told
from ringfence.transfer.netsh.firewall import read_filter
from ringfence.transfer.netsh.globals import change_settings
from ringfence.transfer.netsh.script import Line
from ringfence.transfer.netsh.session import Session, tidy
from ringfence.transfer.netsh.tree import PROFILES, Path
from ringfence.transfer.netsh.words import Word

AUTH1 = ("auth1", "auth1psk", "auth1kerbproxyfqdn", "auth1ca", "auth1healthcert", "auth1ecdsap256ca",
         "auth1ecdsap256healthcert", "auth1ecdsap384ca", "auth1ecdsap384healthcert")  # fmt: skip
AUTH2 = ("auth2", "auth2kerbproxyfqdn", "auth2ca", "auth2ecdsap256ca", "auth2ecdsap384ca")
TAGS = {
    "consec": (
        "name", "endpoint1", "endpoint2", "action", "description", "mode", "enable", "profile", "type",
        "localtunnelendpoint", "remotetunnelendpoint", "port1", "port2", "protocol", "interfacetype", *AUTH1, *AUTH2,
        "qmpfs", "qmsecmethods", "exemptipsecprotectedconnections", "applyauthz", "group",
    ),
    "mainmode": (
        "name", "mmsecmethods", "mmforcedh", "mmkeylifetime", "description", "enable", "profile", "endpoint1",
        "endpoint2", *AUTH1, "type", "group",
    ),
    "firewall": (
        "name", "dir", "action", "program", "service", "description", "enable", "profile", "localip", "remoteip",
        "localport", "remoteport", "protocol", "interfacetype", "rmtcomputergrp", "rmtusrgrp", "edge", "security",
        "group",
    ),
}  # fmt: skip
LONGEST_NAME = 100
T = TypeVar("T", Rule, MainModeRule, Filter)
KERBEROS = "its first authentication is left to Windows' default: the computer's account (Kerberos)"
METHODS = "its methods are left to Windows' default, AES-128, 3DES and SHA-1; Ringfence's own take their place"


@dataclass(slots=True)
class Draft:
    """A rule that is being made."""

    line: Line
    said: Said


@dataclass(slots=True)
class Advfirewall:
    """The store."""

    session: Session
    rules: dict[str, list[Draft]] = field(default_factory=lambda: {name: [] for name in TAGS})
    """By their context."""
    settings: GlobalSettings = field(default_factory=GlobalSettings)

    def run(self, path: Path, words: Sequence[Word]) -> None:
        """Carry out a command of ``netsh advfirewall``; raises Refused."""
        if path[0] in self.rules:
            self._rule(path[0], path[1], words)
        elif path[:2] == ("set", "global"):
            self.settings = change_settings(self.session, self.settings, words)
        elif path[:2] == ("set", "store"):
            if words and words[0].text.lower() != "local":
                self.session.note(f'what follows is for the store "{words[0]}"; here it is this computer\'s own')
        elif path == ("reset",):
            self.rules = {name: [] for name in TAGS}
            self.settings = GlobalSettings()
        elif path[0] == "set" and path[1] in PROFILES:
            self._profile(words)
        else:
            raise Refused(LEFT_OUT.get(path[0], "this is not brought along"))

    def _profile(self, words: Sequence[Word]) -> None:
        said = [word.text.lower() for word in words]
        if said[:2] == ["settings", "localconsecrules"] and len(said) > 2:
            self.settings = replace(self.settings, local_rules=said[2] != "disable")
            return
        raise Refused("the firewall's own settings are not brought along: what no rule names is permitted here")

    def _rule(self, context: str, verb: str, words: Sequence[Word]) -> None:
        if verb == "add":
            said = self._said(context, words)
            if not said.get("name") or said["name"].lower() == "all":
                raise Refused('a rule has to have a name, and not "all"')
            self.rules[context].append(Draft(self.session.line, said))
            return
        split = next((number for number, word in enumerate(words) if not word.tag and word.text.lower() == "new"), None)
        which = self._said(context, words if split is None else words[:split])
        found = [one for one in self.rules[context] if _fits(one.said, which)]
        if verb == "delete":
            self.rules[context] = [one for one in self.rules[context] if one not in found]
            return
        if not found:
            raise Refused("there is no such rule", "It has to be added before.")
        new = self._said(context, words[split + 1 :]) if split is not None else {}
        for draft in found:
            draft.said |= new
            draft.line = self.session.line

    def _said(self, context: str, words: Sequence[Word]) -> Said:
        said = Arguments(words, TAGS[context])
        self.session.line = tidy(self.session.line, said)
        return dict(said.said)

    def policy(self) -> Policy:
        """What the rules and settings mean; what cannot be carried over goes to the session."""
        rules = self._each("consec", read_rule)
        settings = self.settings
        if any(not one.auth and not one.secure.exempt for one in rules) and not settings.auth:
            settings = replace(settings, auth=(Kerberos(),))
        filters = self._each("firewall", read_filter, {one.name for one in rules})
        return Policy(
            rules=weighed(rules), filters=filters, settings=settings, main_modes=self._each("mainmode", read_main_mode)
        )

    def _each(
        self, context: str, read: Callable[[Session, Said], T | None], taken: set[str] | None = None
    ) -> tuple[T, ...]:
        names = set(taken or ())
        found: list[T] = []
        for draft in self.rules[context]:
            self.session.line = draft.line
            self.session.kerberos = self.session.methods_missing = False
            try:
                made = read(self.session, draft.said)
                _check(made)
            except (Refused, BadWord) as error:
                self.session.leave_out(*told(error))
                continue
            self._tell_of_defaults()
            if made is not None:
                found.append(replace(made, name=_free(draft.said["name"], names)))
        return tuple(found)

    def _tell_of_defaults(self) -> None:
        if self.session.kerberos:
            self.session.note(KERBEROS)
        if self.session.methods_missing:
            self.session.note(METHODS, "Say qmsecmethods= to have others.")


def _check(made: Rule | MainModeRule | Filter | None) -> None:
    """Raise Refused for a rule that no document may have."""
    kerberos = GlobalSettings(auth=(Kerberos(),))
    match made:
        case Rule():
            policy = Policy(rules=(made,), settings=GlobalSettings() if made.auth or made.secure.exempt else kerberos)
        case MainModeRule():
            policy = Policy(main_modes=(made,))
        case Filter():
            policy = Policy(filters=(made,))
        case _:
            return
    try:
        same = parse(canonical(policy), name="") == policy
    except PolicyError as error:
        raise Refused(error.message, error.cure) from error
    if not same:
        raise Refused("it says something that a document cannot")


def _fits(said: Said, which: Said) -> bool:
    """Whether a rule is among those that a command names."""
    for tag, value in which.items():
        if tag == "name" and value.lower() == "all":
            continue
        if said.get(tag, "any" if tag != "name" else "").lower() != value.lower():
            return False
    return bool(which)


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken."""
    name = "".join(c if c.isprintable() else " " for c in name)[: LONGEST_NAME - 8]
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free)
    return free


LEFT_OUT = {
    "export": "it writes a file and changes nothing",
    "import": "the file that it reads is in a form of Windows' own",
    "monitor": "it is about what runs now, and says nothing of the policy",
}
