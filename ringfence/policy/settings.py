# SPDX-License-Identifier: Apache-2.0
"""Settings that rules, sets of terms and an IPsec policy have in common."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import IkeProposal, Limits, SecurityMethod
from ringfence.place import Place
from ringfence.policy.decode import Table, shown
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import (
    INTEGRITY_ONLY,
    NO_LIMITS,
    QUICK_MODE_DEFAULT,
    parse_group,
    parse_ike_proposal,
    parse_method,
    weak,
)
from ringfence.policy.terms import MAIN_MODE_LIFETIME_S, QUICK_MODE_LIMITS, Childless, MainMode, Xauth
from ringfence.policy.units import parse_amount, parse_duration

T = TypeVar("T")

SHORTHANDS = {"integrity and encryption": QUICK_MODE_DEFAULT, "integrity only": INTEGRITY_ONLY}
"""Windows' words for the methods of choice."""

WEAK_CURE = "Choose a stronger one, or say legacy = true here if the other side has nothing better."

LONGEST_S = 172_799
"""As Windows has it; the time after which keys are surely worn out."""


def either(value: T | None, default: T) -> T:
    """``value``, or ``default`` where nothing could be read."""
    return default if value is None else value


def decode_places(table: Table) -> dict[str, Place]:
    """Where each setting stands that the document says; of inner tables each setting apart."""
    places = table.places(table.data)
    for key, value in table.data.items():
        if isinstance(value, dict):
            places |= table.inner(key, value).places(value)
    return places


def decode_name(table: Table) -> str:
    """The name that everything needs."""
    if not table.has("name"):
        table.seen.add("name")
        table.complain("", "has no name", cure='Every answer leads back to a name: name = "lab is isolated"')
        return ""
    name = table.text("name") or ""
    if len(name) > 100 or not name.isprintable():
        table.complain("name", "has to be at most 100 printable characters")
    return name


def _limit(table: Table, key: str, parse: object, default: int | None, first: int, last: int) -> int | None:
    if table.data.get(key) == 0 and type(table.data.get(key)) is int:
        table.seen.add(key)
        return None
    value = table.word(key, parse_duration if parse is parse_duration else parse_amount)
    if value is None:
        return default
    if not first <= value <= last:
        of_time = parse is parse_duration
        words = f"from {first} s to {last} s" if of_time else "from 64 KB to 1024 TB, or 0 for no limit of this kind"
        table.complain(key, f"is out of range: {words}")
        return default
    return value


def decode_lifetime(table: Table) -> Limits | None:
    """The lifetime of quick mode SAs; None when none is said."""
    if not table.has("lifetime"):
        table.seen.add("lifetime")
        return None
    if isinstance(table.data["lifetime"], str):
        seconds = table.word("lifetime", parse_duration)
        if seconds is not None and not 5 <= seconds <= LONGEST_S:
            table.complain("lifetime", f"is out of range: from 5 s to {LONGEST_S} s")
        return Limits(seconds)
    if not isinstance(table.data["lifetime"], dict):
        table.seen.add("lifetime")
        what = f"is {shown(table.data['lifetime'])}, but has to be a text or a table"
        table.complain("lifetime", what, cure='Such as "60 min" or { time = "60 min", data = "100 MB" }.')
        return None
    inner = table.table("lifetime")
    if inner is None:
        return None
    limits = Limits(
        _limit(inner, "time", parse_duration, QUICK_MODE_LIMITS.seconds, 5, LONGEST_S),
        _limit(inner, "data", parse_amount, None, 1 << 16, 1 << 50),
        inner.number("packets", 1000, 1 << 60),
    )
    inner.finish()
    if limits.seconds is None:
        table.complain("lifetime", "has to end by time at least", cure='Such as { time = "60 min", data = "100 MB" }.')
    return limits


def decode_protect(table: Table, key: str = "protect") -> tuple[SecurityMethod, ...]:
    """Security methods; those without a lifetime of their own have no limits. Empty when none are said."""
    methods = table.words(key, lambda word: parse_methods(word, NO_LIMITS)) or ()
    return tuple(method for some in methods for method in some)


def parse_methods(text: str, lifetime: Limits) -> tuple[SecurityMethod, ...]:
    """``esp aes256-gcm``, perhaps with ``every 900 s or 100000 KB``, or Windows' words for the methods of choice."""
    word, every, limits_text = (part.strip() for part in text.partition(" every "))
    limits = _limits(limits_text) if every else lifetime
    words: Iterable[str] = SHORTHANDS.get(" ".join(word.lower().split()), (word,))
    return tuple(parse_method(one, limits) for one in words)


def _limits(text: str) -> Limits:
    seconds = octets = None
    for part in text.split(" or "):
        try:
            seconds = parse_duration(part)
        except BadWord:
            octets = parse_amount(part)
    if seconds is None or not 5 <= seconds <= LONGEST_S or not (octets is None or 1 << 16 <= octets <= 1 << 50):
        cure = 'Such as "esp aes256-gcm every 900 s or 100 MB".'
        raise BadWord(f"but its lifetime needs a time, from 5 s to {LONGEST_S} s, and data from 64 KB", cure=cure)
    return Limits(seconds, octets)


def decode_pfs(table: Table) -> DhGroup | bool | None:
    """A group, or true for the first of main mode; None when nothing is said."""
    value = table.raw("pfs")
    return value if isinstance(value, bool) else table.word("pfs", parse_group)


def decode_main_mode(table: Table) -> MainMode | None:
    """The table ``main-mode``; None when there is none."""
    inner = table.table("main-mode")
    if inner is None:
        return None
    found = decode_exchange(inner)
    inner.finish()
    return found


def parse_childless(text: str) -> Childless:
    """Whether contracts come after the IKE SA; raises BadWord."""
    found = next((one for one in Childless if one.value == text.strip().lower()), None)
    if found is None:
        raise BadWord("but has to be a word that is known here", cure='Say "never", "prefer" or "require".')
    return found


LEAST_PROOF_S = 60
"""Contracts that are younger may be taken for some that both sides have begun at once."""
EXCHANGE = ("methods", "lifetime", "sessions", "pfs", "aggressive", "xauth", "force-dh", "reauthenticate", "childless")
"""The settings of main mode."""


def decode_exchange(table: Table) -> MainMode:
    """Main mode's settings; whoever gives the table has to finish it."""
    seconds = _limit(table, "lifetime", parse_duration, MAIN_MODE_LIFETIME_S, 10, LONGEST_S)
    if seconds is None:
        table.complain("lifetime", "has to end", cure='Such as "480 min".')
    limits = Limits(seconds=seconds or MAIN_MODE_LIFETIME_S)
    return MainMode(
        table.words("methods", lambda word: parse_ike_proposal(word, limits))
        or tuple(replace(method, limits=limits) for method in MainMode().methods),
        seconds or MAIN_MODE_LIFETIME_S,
        either(table.number("sessions", 0, 1 << 31), 0),
        either(table.value("pfs", bool), False),
        either(table.value("aggressive", bool), False),
        decode_xauth(table),
        either(table.value("force-dh", bool), False),
        _limit(table, "reauthenticate", parse_duration, None, LEAST_PROOF_S, LONGEST_S),
        either(table.word("childless", parse_childless), Childless.NEVER),
    )


ROLE_CURE = (
    'A gateway says users-file = "users.toml"; a client says user = "alice" and password-file = "alice.password".'
)


def decode_xauth(table: Table) -> Xauth | None:
    """The table ``xauth``; None when there is none."""
    inner = table.table("xauth")
    if inner is None:
        return None
    found = Xauth(
        inner.text("user") or "", inner.file("password-file") or "", inner.file("users-file") or ""
    )  # fmt: skip
    if bool(found.user) != bool(found.password_file):
        given, missing = ("user", "password-file") if found.user else ("password-file", "user")
        inner.complain(given, f"stands there without {missing}", cure=ROLE_CURE)
    elif not found.user and not found.users_file:
        table.complain("xauth", "says neither who is let in nor as whom", cure=ROLE_CURE)
    inner.finish()
    return found


def complain_of_weak(
    table: Table, key: str, parts: Iterable[SecurityMethod | IkeProposal | DhGroup | None], cure: str = WEAK_CURE
) -> None:
    """Add the finding that ``key`` names what needs ``legacy = true``, if it does."""
    if table.has(key) and (names := weak(parts)):
        table.complain(key, f"names {', '.join(names)}, too weak to protect anything", cure=cure)
