# SPDX-License-Identifier: Apache-2.0
"""A script of netsh as a policy: its commands are carried out one after the other, as netsh would, on stores of ours.

What netsh would refuse, what is not about IPsec, and what this version cannot say is left out with its line and reason.
Commands that only show something, and those of a batch file that do nothing to a policy, are passed over.
"""

import re
from dataclasses import replace

from ringfence.databases.boot import BootMode
from ringfence.policy.boot import BootSettings
from ringfence.policy.model import Policy
from ringfence.transfer.base import Imported, ImportFailed, LeftOut, finding
from ringfence.transfer.netsh import dynamic, static
from ringfence.transfer.netsh.advfirewall import Advfirewall
from ringfence.transfer.netsh.arguments import Arguments, Refused
from ringfence.transfer.netsh.ipsec import build
from ringfence.transfer.netsh.script import Line, is_batch, read
from ringfence.transfer.netsh.session import Session, tidy
from ringfence.transfer.netsh.tree import OTHERS, Found, Path, find
from ringfence.transfer.netsh.words import Word

COMMANDS_AT_MOST = 50_000
SHOWING = {"show", "dump", "help", "?"}
MOVING = {"pushd", "popd", ".."}
IDLE = {"abort", "alias", "bye", "commit", "exit", "offline", "online", "quit", "unalias"}
LIKE_BATCH = re.compile(r"\bnetsh(?:\.exe)?\b.*\b(?:ips\w*|adv\w*)\b", re.IGNORECASE)
LIKE_SCRIPT = re.compile(
    r"\s*(?:pushd\s+)?(?:ipsec|advfirewall)\b|\s*(?:add|set|delete)\s+(?:policy|filter\w*|rule|defaultrule)\b.*=",
    re.IGNORECASE,
)


def guess(text: str, _: str) -> int:
    """How many lines of a text look like a script of netsh."""
    return sum(bool(LIKE_BATCH.search(line) or LIKE_SCRIPT.match(line)) for line in text.split("\n"))


def read_script(text: str, name: str) -> Imported:
    """The policy that a script makes; raises ImportFailed for what is none."""
    run = Run(batch=is_batch(text))
    for number, item in enumerate(read(text, name)):
        if number == COMMANDS_AT_MOST:
            run.session.left_out.append(LeftOut(f"{name}:0", name, f"it has more than {COMMANDS_AT_MOST} commands"))
            break
        if isinstance(item, LeftOut):
            run.session.left_out.append(item)
        else:
            run.carry_out(item)
    if not run.understood:
        first = next((one for one in enumerate(text.split("\n"), 1) if one[1].strip()), (1, ""))
        what = "this is no script of netsh: it has no command of netsh ipsec or netsh advfirewall."
        raise ImportFailed([finding(name, first[0], first[1], (0, len(first[1].rstrip())), what, cure=CURE)])
    return run.result(name)


def _in_order(found: list[LeftOut]) -> tuple[LeftOut, ...]:
    """By their lines, each once."""
    return tuple(sorted(dict.fromkeys(found), key=lambda one: int(one.place.rpartition(":")[2] or 0)))


CURE = "Such a line is: netsh ipsec static add policy name=Lab, or without netsh in the form of netsh -f."


class Run:
    """One run over a script."""

    def __init__(self, *, batch: bool) -> None:
        self.session = Session()
        self.understood = 0
        """Commands about IPsec that were found, carried over or not."""
        self._batch = batch
        self._static = static.Static(self.session)
        self._advfirewall = Advfirewall(self.session)
        self._dynamic = dynamic.Dynamic(self.session)
        self._context: Path = ()
        self._stack: list[Path] = []

    def carry_out(self, line: Line) -> None:
        """Do one command, or say why not."""
        self.session.line = line
        try:
            words, context = self._options(line)
            if words:
                self._command(line, words, context)
        except Refused as refused:
            self.session.leave_out(refused.why, refused.cure)

    def result(self, name: str) -> Imported:
        """The policy after the last command."""
        policy = self._policy(name)
        secrets = self.session.keys.secrets(policy.key_files)
        hide = self.session.keys.hide
        left_out, notes = (
            _in_order([replace(one, words=hide(one.words), why=hide(one.why)) for one in found])
            for found in (self.session.left_out, self.session.notes)
        )
        return Imported(policy, secrets, left_out, notes)

    def _policy(self, name: str) -> Policy:
        done = self._dynamic
        policy, made = build(self._static, self.session, done.exempt), self._advfirewall.policy()
        if done.exempt_line is not None and policy.ipsec is None:
            self.session.leave_out(
                "what is exempt is said of an IPsec policy, and there is none", line=done.exempt_line
            )
        rules, filters = done.statements()
        settings = made.settings
        return replace(
            made, name=name, ipsec=policy.ipsec, unassigned=policy.unassigned, filter_lists=policy.filter_lists,
            filter_actions=policy.filter_actions, rules=(*made.rules, *rules), filters=(*made.filters, *filters),
            boot=_sayable(done.boot),
            settings=replace(settings, crl_check=done.crl_check) if done.crl_check is not None else settings,
        )  # fmt: skip

    def _options(self, line: Line) -> tuple[tuple[Word, ...], Path]:
        """The command without netsh's own options, and the context that it is in."""
        words, context = line.words, self._context if line.context is None else _context(line.context)
        while words and words[0].text.lower() in ("-c", "-f", "-r", "-u", "-p", "-a") and not words[0].tag:
            option, value = words[0].text.lower(), words[1].text if len(words) > 1 else ""
            if option in ("-f", "-a"):
                raise Refused(f'the script "{value}" is not brought along by this one', "Import it itself.")
            if option == "-r":
                raise Refused(f'it is for another computer, "{value}"')
            context = _context(tuple(value.lower().split())) if option == "-c" else context
            words = words[2:]
        return words, context

    def _command(self, line: Line, words: tuple[Word, ...], context: Path) -> None:
        found = find(words, context)
        if found is None:
            raise Refused("netsh has no such command, or not in this context")
        if found.path[0] in OTHERS:
            raise Refused(f'nothing of "netsh {found.path[0]}" is brought along')
        name = found.path[-1]
        if name in MOVING:
            self._move(name, found)
        elif found.context:
            if not self._batch:
                self._context = found.path
        elif name not in IDLE and not (name in SHOWING and len(found.path) > 1):
            self.understood += 1
            self._perform(line, found)

    def _move(self, name: str, found: Found) -> None:
        if name == "..":
            self._context = self._context[:-1]
        elif name == "popd":
            self._context = self._stack.pop() if self._stack else ()
        else:
            self._stack.append(self._context)
            self._context = _context(tuple(word.text for word in found.rest)) or self._context

    def _perform(self, line: Line, found: Found) -> None:
        place, command = found.path[:2], " ".join(found.path[2:])
        if place == ("ipsec", "static") and command in static.TAGS:
            said = Arguments(found.rest, static.TAGS[command])
            self.session.line = tidy(line, said)
            self._static.run(command, said)
        elif place == ("ipsec", "dynamic") and command in dynamic.TAGS:
            said = Arguments(found.rest, dynamic.TAGS[command])
            self.session.line = tidy(line, said)
            self._dynamic.run(command, said)
        elif place[0] == "advfirewall":
            self._advfirewall.run(found.path[1:], found.rest)
        elif command in ("set batch", "set interactive"):
            return
        else:
            raise Refused(LEFT_OUT.get(command, "this is not brought along"))


def _sayable(boot: BootSettings) -> BootSettings:
    """Exemptions say nothing where everything passes."""
    return replace(boot, exempt=()) if boot.mode is BootMode.PERMIT else boot


LEFT_OUT = {
    "exportpolicy": "it writes a file and changes nothing",
    "importpolicy": "the file that it reads is in a form of Windows' own",
    "restorepolicyexamples": "the default policies are always there: based-on names them",
}


def _context(names: tuple[str, ...]) -> Path:
    """A context by the words that lead to it."""
    found = find(tuple(map(Word, names)), ())
    return found.path if found is not None and found.context else ()
