# SPDX-License-Identifier: Apache-2.0
"""Whether a computer could follow its domain's policy: step by step, until one fails that all others need.

Each step says what it found, or what is wrong and what to do.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ringfence.policy.errors import PolicyError
from ringfence.stores.directory.connection import Directory, Scope, Server
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.grouppolicy import decide
from ringfence.stores.directory.objects import Catalogue, broken
from ringfence.stores.directory.reading import read_policy
from ringfence.stores.directory.situation import parent, root_of, situation_of
from ringfence.stores.directory.store import Membership

MOST_SKEW_S = 300
"""What Kerberos bears (RFC 4120 §7.5.6, and every domain by default)."""
TIME = "%Y%m%d%H%M%S"

Connect = Callable[[Server], AbstractContextManager[Directory]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has to be right."""

    name: str
    fine: bool
    what: str
    """What was found, or what is wrong."""
    cure: str = ""


def check(
    membership: Membership, connect: Connect, addresses: Iterable[str], today: datetime
) -> Iterator[Step]:  # fmt: skip
    """The steps, one by one, as far as they go; ``today`` is in UTC."""
    keytab = membership.server.keytab
    if keytab is not None:
        step = _keytab(keytab)
        yield step
        if not step.fine:
            return
    try:
        with connect(membership.server) as directory:
            yield Step("server", True, f"{membership.server.uri} answers, and both sides have proved who they are")
            yield from _inside(directory, membership, addresses, today)
    except DirectoryFailed as error:
        yield Step("server", False, error.message, error.cure)


def _keytab(path: Path) -> Step:
    try:
        with path.open("rb") as file:
            head = file.read(2)
    except OSError as error:
        cure = "Join the computer to the domain (adcli join, net ads join, realm join), and run this as root."
        return Step("keytab", False, f"{path} cannot be read: {error.strerror}", cure)
    if head[:1] != b"\5":
        return Step("keytab", False, f"{path} is no keytab", "Join the computer to the domain anew.")
    return Step("keytab", True, f"{path} is there")


def _inside(directory: Directory, membership: Membership, addresses: Iterable[str], today: datetime) -> Iterator[Step]:
    yield from _clock(directory, today)
    try:
        root = root_of(directory, membership.domain)
        situation = situation_of(directory, root, membership.computer, addresses)
    except DirectoryFailed as error:
        yield Step("account", False, error.message, error.cure)
        return
    at = " > ".join(one.dn for one in situation.path)
    yield Step("account", True, f"{membership.computer} is in {at}, with {len(situation.sids)} groups and itself")
    decision = decide(situation)
    if decision.winner is None:
        cure = "ringfence policy resultant --store directory=PATH  says why of each GPO."
        yield Step("assignment", False, f"none of {len(decision.passed_over)} GPOs assigns a policy", cure)
        return
    yield Step("assignment", True, f'GPO "{decision.winner.gpo}" assigns {decision.winner.policy}')
    yield from _policy(directory, decision.winner.policy)


def _clock(directory: Directory, today: datetime) -> Iterator[Step]:
    found = directory.search("", Scope.BASE, attributes=("currentTime",))
    text = found[0].text("currentTime") if found else ""
    try:
        there = datetime.strptime(text[:14], TIME).replace(tzinfo=UTC)
    except ValueError:
        return  # servers other than Active Directory do not say it
    skew = round(abs((today - there).total_seconds()))
    if skew > MOST_SKEW_S:
        yield Step(
            "clock", False, f"it is {skew} seconds off the server's", "Have it set by the domain's time: chrony."
        )
    else:
        yield Step("clock", True, f"it is {skew} seconds off the server's")


def _policy(directory: Directory, dn: str) -> Iterator[Step]:
    entries = directory.search(parent(dn), Scope.ONE)
    try:
        found = read_policy(dn, entries)
    except PolicyError as error:
        cure = "On Samba, let computers read CN=IP Security: samba-tool dsacl set --sddl='(A;CI;RPLCLORC;;;DC)'."
        yield Step("policy", False, error.message, error.cure or cure)
        return
    rules = 0 if found.policy.ipsec is None else len(found.policy.ipsec.own_rules)
    yield Step("policy", True, f'"{found.policy.name}" can be read, with {rules} rules')
    wrong = [f"{entry.name}: {what}" for entry, what in broken(Catalogue(entries))]
    if wrong:
        yield Step("references", False, "; ".join(wrong[:5]), "Check policy integrity in Windows' console.")
