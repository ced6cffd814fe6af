# SPDX-License-Identifier: Apache-2.0
"""A policy of the directory as a ``Policy``: one ``ipsecPolicy`` and all that it refers to ([MS-GPIPSEC] §2.2.1).

What is broken is reported by its name, and never opens anything. Where it is not known which traffic a rule is about,
or that a rule is off, the policy is refused as a whole, and whoever follows it keeps what he had. Where only that is
not known what is to happen, or nothing of it can be served, the rule blocks. What an inactive rule says is worth a
warning, no more. Keys leave the directory's objects: the policy has a file name in their place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ringfence.place import Place
from ringfence.policy.errors import BadWord, Finding, PolicyError, Severity
from ringfence.policy.lower import tunnel_pairs
from ringfence.policy.methods import weak
from ringfence.policy.model import Policy
from ringfence.policy.resultant import DIRECTORY
from ringfence.policy.terms import (
    MAIN_MODE_LIFETIME_S,
    QUICK_MODE_LIMITS,
    Certificate,
    MainMode,
)
from ringfence.policy.windows import (
    DYNAMIC,
    POLL_INTERVAL_S,
    FilterAction,
    FilterList,
    IpsecPolicy,
    PolicyRule,
    Response,
)
from ringfence.secret import Secret
from ringfence.stores.directory import blobs
from ringfence.stores.directory.algorithms import method_of, proposals_of
from ringfence.stores.directory.filters import filters_of
from ringfence.stores.directory.names import Keys, Names
from ringfence.stores.directory.objects import (
    BLOCK,
    PASS_THROUGH,
    PERMIT,
    SECURE,
    Catalogue,
    Class,
    Entry,
    key,
)
from ringfence.stores.directory.records import IsakmpRecord, NegotiationRecord
from ringfence.stores.directory.rules import EXCLUDE_CA, MAPPING, RuleReading, is_default_response
from ringfence.wire import DecodeError

T = TypeVar("T")

RESPONSES: Mapping[str, Response] = {
    BLOCK: Response.BLOCK, PERMIT: Response.PERMIT, SECURE: Response.NEGOTIATE, PASS_THROUGH: Response.NEGOTIATE,
}  # fmt: skip
DEFAULT_RESPONSE_NAME = "Default Response"
"""Windows' consoles supply it, the objects have none."""
REPAIR = "Windows' console repairs such objects: IP Security Policies, All Tasks, Check Policy Integrity."


@dataclass(frozen=True, slots=True)
class DirectoryPolicy:
    """A policy as the directory has it."""

    policy: Policy
    keys: Mapping[str, Secret] = field(repr=False)
    """By the file names that the policy has in their place."""
    findings: tuple[Finding, ...] = ()
    """Warnings."""


def read_policy(dn: str, entries: Iterable[Entry]) -> DirectoryPolicy:
    """The policy called ``dn``; raises PolicyError where it cannot be known what it means."""
    reading = Reading(Catalogue(entries))
    found = reading.policy(dn)
    if found is None or any(one.severity is Severity.ERROR for one in reading.findings):
        raise PolicyError(reading.findings)
    return DirectoryPolicy(found, reading.keys.secrets, tuple(reading.findings))


class Reading:
    """What has been read of one policy so far."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.findings: list[Finding] = []
        self.keys = Keys()
        self._list_names, self._action_names, self._titles = Names([DYNAMIC]), Names(), Names()
        self._lists: dict[str, FilterList] = {}
        self._actions: dict[str, FilterAction] = {}
        self._options = 0

    def policy(self, dn: str) -> Policy | None:
        """All of it; None with a finding where there is none."""
        entry = self._object(dn, Class.POLICY, None)
        blob = None if entry is None else self._decoded(entry, blobs.decode_policy)
        if entry is None or blob is None:
            return None
        main_mode = self._main_mode(entry)
        rules = tuple(self._rules(entry))
        if not rules and not self.findings:
            self._complain(entry, "ipsecNFAReference names no rule")
        rules = tuple(self._whole_tunnels(rules))
        title = entry.text("ipsecName") or entry.name
        ipsec = IpsecPolicy(
            title, description=entry.text("description"),
            poll_interval_s=blob.record.poll_interval_s or POLL_INTERVAL_S,
            main_mode=main_mode, own_rules=rules, legacy=bool(weak(main_mode.methods)), place=entry.place,
        )  # fmt: skip
        if ipsec.legacy or any(one.legacy for one in self._actions.values()):
            names = weak([*main_mode.methods, *(method for one in self._actions.values() for method in one.methods)])
            self._warn(entry.place, f"the policy names {', '.join(names)}, too weak to protect anything for long")
        return Policy(
            name=title, ipsec=ipsec, filter_lists=tuple(self._lists.values()),
            filter_actions=tuple(self._actions.values()),
        )  # fmt: skip

    def _main_mode(self, policy: Entry) -> MainMode:
        entry = self._one(policy, "ipsecISAKMPReference", Class.ISAKMP)
        blob = None if entry is None else self._decoded(entry, blobs.decode_isakmp)
        if entry is None or blob is None:
            return MainMode()
        record: IsakmpRecord = blob.record
        self._options = record.options
        methods, wrong = proposals_of(record)
        for what in wrong:
            self._warn(entry.place, f"ipsecData of {entry.dn}: {what}; it is left out")
        if not methods:
            self._complain(entry, "ipsecData has no method that can be served")
            return MainMode()
        seconds = record.lifetime_s or methods[0].limits.seconds or MAIN_MODE_LIFETIME_S
        sessions = [one for one in (record.quick_modes, *(each.quick_modes for each in record.methods)) if one]
        return MainMode(tuple(methods), seconds, min(sessions, default=0), bool(record.master_pfs))

    def _rules(self, policy: Entry) -> Iterator[PolicyRule]:
        for dn in sorted(policy.texts("ipsecNFAReference"), key=key):
            entry = self._object(dn, Class.NFA, policy, "ipsecNFAReference")
            blob = None if entry is None else self._decoded(entry, blobs.decode_nfa)
            if entry is not None and blob is not None:
                yield from RuleReading(self, entry, blob).rules()

    def _whole_tunnels(self, rules: tuple[PolicyRule, ...]) -> Iterator[PolicyRule]:
        """The rules, where one for one direction of a tunnel without the other blocks."""
        pairs = tunnel_pairs(rules, self._lists)
        for rule in rules:
            if rule.enabled and isinstance(rule.tunnel, bytes) and rule not in pairs:
                why = "is for one direction of a tunnel only, and no rule with these filters reversed is for the other"
                self._warn(rule.place, f'rule "{rule.title}" {why}: it blocks')
                yield replace(rule, filter_action=self.blocking(rule.title, rule.place), tunnel=None)
            else:
                yield rule

    def titled(self, entry: Entry, wanted: str) -> str:
        """A name for a rule that no other has."""
        return self._titles.of(wanted, entry.guid)

    def filter_list(self, entry: Entry, *, active: bool) -> str | None:
        """The name of the list of an object; None where it means nothing, with a finding."""
        name = self._list_names.of(entry.text("ipsecName") or entry.name, entry.guid)
        if name in self._lists:
            return name
        severity = Severity.ERROR if active else Severity.WARNING
        blob = self._decoded(entry, blobs.decode_filters, severity)
        if blob is None:
            return None
        try:
            filters = tuple(filters_of(blob))
        except BadWord as error:
            self._say(entry.place, f"ipsecData of {entry.dn}: {error.why}", severity)
            return None
        if not filters:
            self._warn(entry.place, f"{entry.dn} has no filters")
        self._lists[name] = FilterList(name, filters, entry.text("description"), entry.place)
        return name

    def action(self, entry: Entry) -> str | None:
        """The name of the action of an object; None where it does nothing that can be served, with a finding."""
        default = DEFAULT_RESPONSE_NAME if is_default_response(entry) else entry.name
        name = self._action_names.of(entry.text("ipsecName") or default, entry.guid)
        if name in self._actions:
            return name
        said = entry.text("ipsecNegotiationPolicyAction").upper()
        if said not in RESPONSES:
            self._warn(entry.place, f"ipsecNegotiationPolicyAction of {entry.dn} is {said or 'missing'}")
            return None
        if RESPONSES[said] is not Response.NEGOTIATE:
            description = entry.text("description")
            self._actions[name] = FilterAction(name, RESPONSES[said], description=description, place=entry.place)
            return name
        blob = self._decoded(entry, blobs.decode_negotiation, Severity.WARNING)
        made = None if blob is None else self._negotiating(entry, name, blob.record, accept=said == PASS_THROUGH)
        if made is not None:
            self._actions[name] = made
        return None if made is None else name

    def _negotiating(
        self, entry: Entry, name: str, record: NegotiationRecord, *, accept: bool
    ) -> FilterAction | None:  # fmt: skip
        methods, pfs = [], set[bool]()
        for number, offer in enumerate(record.offers, 1):
            if not offer.count:
                continue
            try:
                methods.append(method_of(offer))
                pfs.add(bool(offer.pfs))
            except BadWord as error:
                self._warn(entry.place, f"ipsecData of {entry.dn}: method {number}, {error.why}; it is left out")
        if not methods:
            self._warn(entry.place, f"ipsecData of {entry.dn} has no method that can be served")
            return None
        if len(pfs) > 1:
            self._warn(entry.place, f"{entry.dn} has methods with and without PFS: all have it here")
        return FilterAction(
            name, methods=tuple(methods), lifetime=QUICK_MODE_LIMITS, accept_unsecured=accept,
            fallback_to_clear=any(not one.count for one in record.offers), pfs=True in pfs, legacy=bool(weak(methods)),
            description=entry.text("description"), place=entry.place,
        )  # fmt: skip

    def negotiates(self, action: str) -> bool:
        """Whether the action called so negotiates security."""
        return self._actions[action].response is Response.NEGOTIATE

    def blocking(self, rule: str, place: Place) -> str:
        """The name of an action that blocks in the place of one that cannot be served."""
        name = self._action_names.of(f'Block, for rule "{rule}" cannot be served', str(place))
        self._actions[name] = FilterAction(name, Response.BLOCK, place=place)
        return name

    def referred(self, entry: Entry, attribute: str, kind: Class, *, needed: bool) -> Iterator[Entry]:
        """The objects that an attribute names, with a finding for each that is not there."""
        severity = Severity.ERROR if needed else Severity.WARNING
        for dn in sorted(entry.texts(attribute), key=key):
            found = self._object(dn, kind, entry, attribute, severity)
            if found is not None:
                yield found

    def certificate(self, authority: str, flag: int) -> Certificate:
        """The way to authenticate by a certificate; options of main mode hold for all of them."""
        flags = flag | self._options
        return Certificate(authority, mapping=bool(flags & MAPPING), exclude_ca_name=bool(flags & EXCLUDE_CA))

    def warn(self, entry: Entry, what: str) -> None:
        """Say that something is out of order."""
        self._warn(entry.place, what)

    def complain(self, entry: Entry, what: str, *, active: bool) -> None:
        """Say that it is not known what a rule means."""
        self._say(entry.place, f"{what} {entry.dn}", Severity.ERROR if active else Severity.WARNING)

    def _one(self, entry: Entry, attribute: str, kind: Class) -> Entry | None:
        dn = entry.text(attribute)
        if dn:
            return self._object(dn, kind, entry, attribute)
        self._complain(entry, f"{attribute} is missing")
        return None

    def _object(
        self, dn: str, kind: Class, by: Entry | None, attribute: str = "", severity: Severity = Severity.ERROR
    ) -> Entry | None:
        found = self._catalogue.get(dn)
        if found is not None and found.is_a(kind):
            return found
        what = f"is no {kind.value}" if found is not None else "is not there, or may not be read"
        if by is None:
            self._say(Place(dn, store=DIRECTORY), what, severity)
        else:
            self._say(by.place, f"{attribute} of {by.dn} names {dn}, which {what}", severity, REPAIR)
        return None

    def _decoded(
        self, entry: Entry, decode: Callable[[bytes], T], severity: Severity = Severity.ERROR
    ) -> T | None:  # fmt: skip
        data = entry.octets("ipsecData")
        if data is None:
            self._say(entry.place, f"ipsecData of {entry.dn} is missing", severity)
            return None
        try:
            return decode(data)
        except DecodeError as error:
            self._say(entry.place, f"ipsecData of {entry.dn}: {error}", severity)
            return None

    def _complain(self, entry: Entry, what: str) -> None:
        self._say(entry.place, f"{what} ({entry.dn})", Severity.ERROR, REPAIR)

    def _warn(self, place: Place, what: str) -> None:
        self._say(place, what, Severity.WARNING)

    def _say(self, place: Place, what: str, severity: Severity, cure: str = "") -> None:
        self.findings.append(Finding(what, place, cure=cure, severity=severity))
