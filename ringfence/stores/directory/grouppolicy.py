# SPDX-License-Identifier: Apache-2.0
"""Which policy the domain assigns to a computer ([MS-GPOL] §3.2.5.1, [MS-GPIPSEC] §2.2.2, §3.2).

GPOs are linked to the site, the domain and the OUs that the computer's account is in. They count in this order, in each
the links from left to right, so that the last one has its way; enforced links come behind all others, the lowest OU's
first. Who blocks inheritance hears nothing from above but what is enforced. What is left is filtered: by the GPO's own
switch, its access control list, its version, its list of extensions. IPsec policies do not merge: of the GPOs that
assign one the last one counts.

A WMI filter asks a Windows computer about itself. Nobody can answer here, so such a GPO does not count, and is named.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from ringfence.stores.directory.acl import may_apply
from ringfence.stores.directory.objects import OWNERS, Catalogue, Entry
from ringfence.wire import DecodeError

LINK = re.compile(r"\[LDAP://(?P<dn>[^\]]*?);(?P<options>\d+)\]", re.IGNORECASE)
DISABLED, ENFORCED = 1, 2
BLOCK_INHERITANCE = 1
COMPUTER_OFF = 2
EXTENSION = "{E437BC1C-AA7D-11D2-A382-00C04F991E27}"
"""IPsec's, in a GPO's list of extensions for computers."""
POINTER = "CN=IPSEC,CN=Windows,CN=Microsoft,CN=Machine"
"""The object of a GPO that names its policy."""


@dataclass(frozen=True, slots=True)
class Link:
    """A GPO at a site, a domain or an OU."""

    at: Entry
    gpo: str
    """Its DN."""
    disabled: bool = False
    enforced: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """All that decides, as the directory has it."""

    path: tuple[Entry, ...]
    """The site, if it is known, the domain, the OUs downward."""
    objects: Catalogue
    """GPOs, and the objects that name their policies."""
    sids: Collection[str]
    """The computer's account and its groups."""
    has_acls: bool = True
    """Whether the server keeps security descriptors; if not, what may be read counts."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """A GPO, and the policy that it assigns."""

    link: Link
    gpo: str
    """What people call it."""
    policy: str
    """The DN of the policy."""
    policy_name: str = ""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A GPO that does not count."""

    link: Link
    gpo: str
    why: str
    """A clause: ``its link is disabled``."""
    policy_name: str = ""
    """The policy that it would assign."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who assigns, and who does not."""

    winner: Assigned | None
    passed_over: tuple[PassedOver, ...] = ()
    """The last one first, as precedence goes."""


def links(at: Entry) -> Iterator[Link]:
    """The links of a site, a domain or an OU, the least first."""
    for match in LINK.finditer(at.text("gPLink")):
        options = int(match["options"])
        yield Link(at, match["dn"], bool(options & DISABLED), bool(options & ENFORCED))


def precedence(path: Iterable[Entry]) -> tuple[list[Link], list[tuple[Link, Entry]]]:
    """All links in the order in which they count, the least first; and those that an OU blocks, with that OU."""
    usual, enforced, blocked = list[Link](), list[Link](), list[tuple[Link, Entry]]()
    for at in path:
        if _number(at, "gPOptions") & BLOCK_INHERITANCE:
            blocked += [(one, at) for one in usual]
            usual = []
        here = list(links(at))
        usual += [one for one in here if not one.enforced]
        # Enforced links of what is above count after those of what is below.
        enforced = [one for one in here if one.enforced] + enforced
    return usual + enforced, blocked


def decide(situation: Situation) -> Decision:
    """The policy that counts, and why no other does."""
    ordered, blocked = precedence(situation.path)
    winner: Assigned | None = None
    passed = list[PassedOver]()
    for link in reversed(ordered):
        gpo = situation.objects.get(link.gpo)
        name, policy, policy_name = _names(situation, link, gpo)
        why = _why_not(situation, link, gpo) or ("" if policy else "it assigns no IPsec policy")
        if not why and winner is not None:
            why = f'"{winner.gpo}" counts after it, and IPsec policies do not merge'
        if why:
            passed.append(PassedOver(link, name, why, policy_name))
        else:
            winner = Assigned(link, name, policy, policy_name)
    for link, by in reversed(blocked):
        name, _, policy_name = _names(situation, link, situation.objects.get(link.gpo))
        passed.append(PassedOver(link, name, f"{by.dn} blocks inheritance", policy_name))
    return Decision(winner, tuple(passed))


def pointer(gpo: str) -> str:
    """The DN of the object that names a GPO's policy."""
    return f"{POINTER},{gpo}"


def _names(situation: Situation, link: Link, gpo: Entry | None) -> tuple[str, str, str]:
    """What the GPO is called, the DN of its policy, and what that one is called; empty for what is not there."""
    found = situation.objects.get(pointer(link.gpo))
    policy = "" if found is None else found.text(OWNERS)
    name = link.gpo if gpo is None else gpo.text("displayName") or gpo.name
    return name, policy, "" if found is None else found.text("ipsecName") or policy


def _why_not(situation: Situation, link: Link, gpo: Entry | None) -> str:
    """Why a GPO does not count; empty if it does."""
    if link.disabled:
        return "its link is disabled"
    if gpo is None:
        return "it is not there, or this computer may not read it"
    if _number(gpo, "flags") & COMPUTER_OFF:
        return "its settings for computers are switched off"
    if gpo.text("gPCWQLFilter").strip():
        return "it has a WMI filter, which is not evaluated here"
    if situation.has_acls and not _granted(situation, gpo):
        return "security filtering: its access control list does not let this computer apply it"
    if not _number(gpo, "versionNumber") & 0xFFFF:
        return "it is empty: its version for computers is 0"
    if EXTENSION not in gpo.text("gPCMachineExtensionNames").upper():
        return "it names no IPsec extension, so computers do not look for a policy in it"
    return ""


def _granted(situation: Situation, gpo: Entry) -> bool:
    descriptor = gpo.octets("nTSecurityDescriptor")
    if descriptor is None:
        return False
    try:
        return may_apply(descriptor, situation.sids)
    except DecodeError:
        return False


def _number(entry: Entry, attribute: str) -> int:
    text = entry.text(attribute)
    return int(text) if text.lstrip("-").isdigit() else 0
