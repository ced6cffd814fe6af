# SPDX-License-Identifier: Apache-2.0
"""Proposals and lifetimes of a connection, whichever of the two programs it was written for."""

import re
from collections.abc import Iterable
from dataclasses import replace

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import IkeProposal, Limits, SecurityMethod
from ringfence.policy.errors import BadWord
from ringfence.policy.settings import LONGEST_S
from ringfence.policy.terms import MAIN_MODE_LIFETIME_S, MainMode
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl.algorithms import ah_methods, esp_methods, ike_proposals

TIME = re.compile(r"(\d{1,9})\s*(s|m|h|d)?", re.ASCII)
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
SHORTEST_MAIN_S, SHORTEST_S, LEAST_OCTETS, MOST_OCTETS, LEAST_PACKETS = 10, 5, 1 << 16, 1 << 50, 1000
MOST_PACKETS = 1 << 60


def parse_time(text: str) -> int:
    """Seconds; raises BadWord."""
    match = TIME.fullmatch(text.strip().lower())
    if match is None:
        raise BadWord("which is no time", cure='Such as "4h", "60m" or "3600".')
    return int(match[1]) * UNITS[match[2] or ""]


def main_mode(
    words: Iterable[str],
    seconds: int | None,
    report: Report,
    place: tuple[int, str],
    *,
    only_first: bool,
    group: DhGroup | None = None,
) -> MainMode | None:
    """Main mode by proposals and its lifetime; None when both are left to the program's default."""
    line, subject = place
    if seconds is not None:
        seconds = within(seconds, SHORTEST_MAIN_S, LONGEST_S, report, (line, f"{subject}, lifetime of main mode"))
    limits = Limits(seconds=seconds or MAIN_MODE_LIFETIME_S)
    methods: list[IkeProposal] = []
    said = False
    for word in words:
        if word == "default":
            continue
        said = True
        try:
            methods += ike_proposals(word, limits, only_first=only_first, group=group)
        except BadWord as error:
            report.leave(line, f"{subject}, proposal {word}", error.why.removeprefix("but "), error.cure)
    if not methods and seconds is None:
        if said:
            report.note(line, f"{subject}, proposals", "none can be carried over, so Ringfence's own take their place")
        return None
    default = MainMode()
    chosen = tuple(dict.fromkeys(methods)) or tuple(replace(one, limits=limits) for one in default.methods)
    return MainMode(chosen, limits.seconds or MAIN_MODE_LIFETIME_S)


def quick_mode(
    words: Iterable[str], protocol: str, report: Report, place: tuple[int, str], *, only_first: bool
) -> tuple[tuple[SecurityMethod, ...], DhGroup | None]:
    """Security methods by proposals, and the group of perfect forward secrecy that they name."""
    line, subject = place
    methods: list[SecurityMethod] = []
    groups: list[DhGroup | None] = []
    for word in words:
        if word == "default":
            continue
        try:
            found, named = (ah_methods if protocol == "ah" else esp_methods)(word, only_first=only_first)
        except BadWord as error:
            report.leave(line, f"{subject}, proposal {word}", error.why.removeprefix("but "), error.cure)
            continue
        methods += found
        groups += named or [None]
    distinct = list(dict.fromkeys(groups))
    if len(distinct) > 1:
        kept = next((one for one in distinct if one is not None), None)
        others = [one for one in distinct if one is not kept]
        named_others = ", ".join("none" if one is None else one.name.lower().replace("_", "-") for one in others)
        report.leave(line, f"{subject}, groups {named_others}", "a rule has one group for perfect forward secrecy")
        return tuple(dict.fromkeys(methods)), kept
    return tuple(dict.fromkeys(methods)), distinct[0] if distinct else None


def limits_of(
    seconds: int | None, octets: int | None, packets: int | None, report: Report, place: tuple[int, str]
) -> Limits | None:
    """The lifetime of SAs; None when it is left to the default."""
    line, subject = place
    if not (seconds or octets or packets):
        return None
    time = within(seconds, SHORTEST_S, LONGEST_S, report, (line, f"{subject}, lifetime")) if seconds else 3600
    data = (
        within(octets, LEAST_OCTETS, MOST_OCTETS, report, (line, f"{subject}, lifetime in bytes")) if octets else None
    )
    count = (
        within(packets, LEAST_PACKETS, MOST_PACKETS, report, (line, f"{subject}, lifetime in packets"))
        if packets
        else None
    )
    return Limits(time, data, count)


def within(value: int, least: int, most: int, report: Report, place: tuple[int, str]) -> int:
    """``value``, or the nearest that is possible here, with a note."""
    kept = max(least, min(value, most))
    if kept != value:
        report.note(*place, f"{value} is not possible here, so it is {kept}")
    return kept
