# SPDX-License-Identifier: Apache-2.0
"""What ``[boot]`` says to no effect, and what of a policy cuts more off at boot than later: for ``lint``."""

from collections.abc import Iterator

from ringfence.databases.boot import BootSpd, Opening, required
from ringfence.databases.spd import Direction, SpdEntry
from ringfence.policy.bootspd import boot_spd, openings
from ringfence.policy.errors import Finding, Severity
from ringfence.policy.exempt import BUILT_IN
from ringfence.policy.lower import statements
from ringfence.policy.model import Address, Filter, HostName, Keyword, Need, Policy, Rule, Verb

NAMES_AT_MOST = 3


def boot_findings(policy: Policy) -> Iterator[Finding]:
    """Warnings about the time before the service is up, if the document says anything of it."""
    if not policy.boot.place:
        return
    yield from _in_vain(policy, boot_spd(policy))
    for item in statements(policy):
        unknown = [word for one in (*item.local, *item.remote) if (word := _unknown(one))]
        if item.enabled and unknown and _shuts(item):
            subject = f'{"rule" if isinstance(item, Rule) else "filter"} "{item.name}"'
            what = ", ".join(dict.fromkeys(unknown[:NAMES_AT_MOST]))
            yield Finding(
                f"{subject} shuts its traffic with everybody before the service is up: what {what} stands for is not "
                "known yet.",
                item.place, subject, cure="Write addresses or networks, if that matters.", severity=Severity.WARNING,
            )  # fmt: skip


def _in_vain(policy: Policy, boot: BootSpd) -> Iterator[Finding]:
    for one in policy.boot.exempt:
        for opening in openings(one):
            entry = _covering(boot, opening)
            if entry is not None:
                yield Finding(
                    f'boot: exempt "{one}" is in vain: what {entry.origin} shuts is shut in every mode.',
                    policy.boot.places.get("exempt", policy.boot.place), "boot", "exempt", severity=Severity.WARNING,
                    cure="Leave it out, or write a [[filter]] that permits it.",
                )  # fmt: skip
                break


def _covering(boot: BootSpd, opening: Opening) -> SpdEntry | None:
    """The entry that shuts all of it, if one does."""
    direction = Direction.IN if opening.inward else Direction.OUT
    selector = opening.selector.reversed() if opening.inward else opening.selector
    for entry in (*boot.first, *boot.entries):
        wide = entry.selector.intersect(selector)
        if wide is None or direction not in entry.directions or entry.origin.rule.startswith(BUILT_IN):
            continue
        if direction not in required(entry):
            return None
        if wide.destination == selector.destination and _same_ports(entry, opening, direction):
            return entry
    return None


def _same_ports(entry: SpdEntry, opening: Opening, direction: Direction) -> bool:
    selector = opening.selector.reversed() if direction is Direction.IN else opening.selector
    return (
        entry.selector.protocol in (None, selector.protocol)
        and entry.selector.source_ports.covers(selector.source_ports)
        and entry.selector.destination_ports.covers(selector.destination_ports)
    )


def _unknown(address: Address) -> str:
    """The word in quotes, if it is one that stands for no address then."""
    if isinstance(address, HostName):
        return f'"{address.name}"'
    unknown = isinstance(address, Keyword) and address not in (Keyword.ME, Keyword.ANY)
    return f'"{address.value}"' if isinstance(address, Keyword) and unknown else ""


def _shuts(item: Rule | Filter) -> bool:
    if isinstance(item, Filter):
        return item.verb is Verb.BLOCK or item.secure is not None
    return not item.secure.exempt and Need.REQUIRE in (item.secure.inward, item.secure.outward)
