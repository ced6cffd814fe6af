# SPDX-License-Identifier: Apache-2.0
"""Settings that a ``[[rule]]`` and an IPsec policy have in common."""

from dataclasses import replace
from typing import TypeVar

from ringfence.databases.proposal import Limits
from ringfence.place import Place
from ringfence.policy.decode import Table
from ringfence.policy.methods import parse_ike_proposal
from ringfence.policy.model import (
    MAIN_MODE_LIFETIME_S,
    QUICK_MODE_LIMITS,
    Auth,
    Certificate,
    Kerberos,
    MainMode,
    PskFile,
)
from ringfence.policy.source import Steps
from ringfence.policy.units import parse_amount, parse_duration

T = TypeVar("T")

AUTH_LATER = ("ntlm", "anonymous")
AUTH_CURE = 'Authenticate by a preshared key: auth = { psk-file = "FILE" }.'

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


def decode_auth(table: Table) -> tuple[Auth, ...]:
    """One way to authenticate or a list of them; empty when none is said."""
    value = table.raw("auth")
    if value is None:
        return ()
    if value == []:
        table.complain("auth", "is an empty list", cure=AUTH_CURE)
    found: list[Auth] = []
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        at = (number,) if isinstance(value, list) else ()
        name = item if isinstance(item, str) else next(iter(item), "") if isinstance(item, dict) else ""
        if item == "kerberos":
            found.append(Kerberos())
        elif name in AUTH_LATER:
            table.complain("auth", f'names "{name}", which is not supported yet', cure=AUTH_CURE, at=at)
        elif not isinstance(item, dict):
            table.complain("auth", "is not understood", cure=AUTH_CURE, at=at)
        else:
            found += _keyed(table, item, at)
    return tuple(found)


def _keyed(table: Table, item: dict[str, object], at: Steps) -> list[Auth]:
    """``{ psk-file = "lab.psk" }`` or ``{ certificate = "CN=Corp Root CA" }``."""
    inner = table.inner("auth", item, at)
    file, authority = inner.file("psk-file"), inner.text("certificate")
    if inner.has("psk-file") == inner.has("certificate"):
        why = "says both psk-file and certificate" if file else "does not say psk-file"
        table.complain("auth", why, cure=AUTH_CURE, at=at)
    inner.finish()
    return [PskFile(file)] if file else [Certificate(authority)] if authority else []


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


def decode_lifetime(table: Table) -> Limits:
    """The lifetime of quick mode SAs."""
    if not table.has("lifetime"):
        table.seen.add("lifetime")
        return QUICK_MODE_LIMITS
    if isinstance(table.data["lifetime"], str):
        seconds = table.word("lifetime", parse_duration)
        if seconds is not None and not 5 <= seconds <= LONGEST_S:
            table.complain("lifetime", f"is out of range: from 5 s to {LONGEST_S} s")
        return Limits(seconds)
    inner = table.table("lifetime")
    if inner is None:
        return QUICK_MODE_LIMITS
    limits = Limits(
        _limit(inner, "time", parse_duration, QUICK_MODE_LIMITS.seconds, 5, LONGEST_S),
        _limit(inner, "data", parse_amount, None, 1 << 16, 1 << 50),
        inner.number("packets", 1000, 1 << 60),
    )
    inner.finish()
    if limits.seconds is None:
        table.complain("lifetime", "has to end by time at least", cure='Such as { time = "60 min", data = "100 MB" }.')
    return limits


def decode_main_mode(table: Table) -> MainMode:
    """The table ``main-mode``."""
    inner = table.table("main-mode")
    if inner is None:
        return MainMode()
    seconds = _limit(inner, "lifetime", parse_duration, MAIN_MODE_LIFETIME_S, 10, LONGEST_S)
    if seconds is None:
        inner.complain("lifetime", "has to end", cure='Such as "480 min".')
    limits = Limits(seconds=seconds or MAIN_MODE_LIFETIME_S)
    found = MainMode(
        inner.words("methods", lambda word: parse_ike_proposal(word, limits))
        or tuple(replace(method, limits=limits) for method in MainMode().methods),
        seconds or MAIN_MODE_LIFETIME_S,
        either(inner.number("sessions", 0, 1 << 31), 0),
        either(inner.value("pfs", bool), False),
    )
    inner.finish()
    return found
