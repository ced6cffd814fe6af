# SPDX-License-Identifier: Apache-2.0
"""What one run over a script collects, whichever context its commands are in."""

from dataclasses import dataclass, field, replace

from ringfence.policy.model import Auth, Certificate, Kerberos
from ringfence.transfer.base import KeyFiles, LeftOut, shown
from ringfence.transfer.netsh.arguments import Arguments, Refused
from ringfence.transfer.netsh.methods import Methods, T
from ringfence.transfer.netsh.script import Line

WEAK_CURE = "The document says legacy = true there; choose stronger methods on both sides when you can."

NOWHERE = Line("", (), "")


@dataclass(slots=True)
class Session:
    """A script that is being carried out."""

    keys: KeyFiles = field(default_factory=KeyFiles)
    line: Line = NOWHERE
    """The command that is being carried out."""
    kerberos: bool = False
    """Whether the rule that is being read leaves its authentication to Windows' default."""
    methods_missing: bool = False
    """Whether it leaves its methods to it."""
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[LeftOut] = field(default_factory=list)

    def leave_out(self, why: str, cure: str = "", *, line: Line | None = None) -> None:
        """Something of a command, the one of now or ``line``, is not carried over."""
        self.left_out.append((line or self.line).left_out(why, cure))

    def note(self, why: str, cure: str = "", *, line: Line | None = None) -> None:
        """Something of a command is carried over otherwise."""
        self.notes.append((line or self.line).left_out(why, cure))

    def methods(self, methods: Methods[T]) -> tuple[T, ...]:
        """Those that are understood; raises Refused where none is."""
        for one in methods.refused:
            self.leave_out(f"it names {one}")
        if not methods.found:
            raise Refused("none of its security methods is understood")
        return methods.found


def tidy(line: Line, said: Arguments) -> Line:
    """The command without the preshared key that it was found to hold."""
    text = line.text
    for tag, value in said.said:
        if tag in ("psk", "auth1psk") and len(value) > 2:
            text = text.replace(value, "...")
    return replace(line, text=text)


def ipsec_auth(session: Session, said: Arguments, subject: str) -> tuple[Auth, ...]:
    """What ``kerberos``, ``psk`` and ``rootca`` say, in the order of the command; raises Refused."""
    found: list[Auth] = []
    for tag, value in said.said:
        if tag == "kerberos" and said.flag("kerberos"):
            found.append(Kerberos())
        elif tag == "psk" and value:
            found.append(session.keys.file_for(value, subject))
        elif tag == "rootca":
            found.append(_certificate(value))
    return tuple(dict.fromkeys(found))


def _certificate(value: str) -> Certificate:
    words, options = value.split(), {}
    while words and (option := words[-1].lower().partition(":"))[0] in ("certmap", "excludecaname") and option[1]:
        options[option[0]] = option[2]
        words.pop()
    authority = " ".join(words).replace("\\'", '"')
    if not authority:
        raise Refused("rootca names no authority")
    return Certificate(
        shown(authority, 1000),
        mapping=options.get("certmap", "no").startswith("y"),
        exclude_ca_name=options.get("excludecaname", "no").startswith("y"),
    )
