# SPDX-License-Identifier: Apache-2.0
"""A ``Policy`` as objects of the directory: what ``reading`` reads, the other way round ([MS-GPIPSEC] §2.2.1).

An object that says the same as before keeps its octets, and so do the methods and filters of one that changes. Filter
lists and filter actions are shared in a directory: one that means what is wanted is taken whoever else uses it, one
that only this policy uses is changed, and what others use as well is left alone and made anew. What a directory cannot
say is a finding. If only a choice is lost, it is a warning; if traffic were treated otherwise, nothing is written.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from ringfence.crypto.suites import DhGroup
from ringfence.place import Place
from ringfence.policy.defaults import main_mode_with_classic, with_classic
from ringfence.policy.errors import BadWord, Finding, PolicyError, Severity
from ringfence.policy.ipfilter import format_filter
from ringfence.policy.lower import filter_actions, filter_lists
from ringfence.policy.model import Policy
from ringfence.policy.windows import DYNAMIC, DefaultExempt, FilterAction, FilterList, IpFilter, IpsecPolicy, Response
from ringfence.secret import Secret
from ringfence.stores.directory import blobs
from ringfence.stores.directory.algorithms import (
    fallback_of,
    key_exchange_of,
    key_exchanges_of,
    offer_of,
    offers_of,
    proposals_of,
)
from ringfence.stores.directory.filters import blob_of, filters_of, one_by_one
from ringfence.stores.directory.objects import (
    BLOCK,
    DEFAULT_RESPONSE,
    OWNERS,
    PASS_THROUGH,
    PERMIT,
    SECURE,
    STANDARD,
    Catalogue,
    Class,
    Entry,
    closure,
    key,
)
from ringfence.stores.directory.reading import DEFAULT_RESPONSE_NAME
from ringfence.stores.directory.records import IsakmpRecord, NegotiationRecord, PolicyRecord, guid_octets
from ringfence.stores.directory.rulewriting import Half, RuleWriting, halves
from ringfence.wire import DecodeError

DATA_TYPE = b"256"
"""What new objects say; what is there is kept."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Written:
    """The objects of a policy as they shall be."""

    policy: Entry
    entries: tuple[Entry, ...]
    """All that belong to it, and those of other policies whose owners change."""
    findings: tuple[Finding, ...] = ()
    """What is written otherwise than it was said."""


def write_policy(
    policy: Policy, ipsec: IpsecPolicy, keys: Mapping[str, Secret], container: str, before: Iterable[Entry],
    fresh: Callable[[], str],
) -> Written:  # fmt: skip
    """The objects of ``ipsec`` below ``container``; raises PolicyError where a directory cannot say what it means.

    ``before`` is what the container holds, ``fresh`` gives GUIDs in braces that nobody has.
    """
    writing = _Writing(policy, ipsec, keys, container, Catalogue(before), fresh)
    written = writing.written()
    if any(one.severity is Severity.ERROR for one in written.findings):
        raise PolicyError(written.findings)
    return written


class _Writing:
    def __init__(
        self, policy: Policy, ipsec: IpsecPolicy, keys: Mapping[str, Secret], container: str, before: Catalogue,
        fresh: Callable[[], str],
    ) -> None:  # fmt: skip
        self._policy, self._ipsec = policy, ipsec
        self._container, self._before, self._fresh = container, before, fresh
        self._findings: list[Finding] = []
        self._made: dict[str, Entry] = {}
        self._used: dict[str, list[str]] = {}
        """The DNs of rules that use an object, by its key."""
        self._chosen: dict[tuple[Class, str, bool], Entry] = {}
        self._taken: set[str] = set()
        self._rules = RuleWriting(ipsec, keys, warn=self.warn, complain=self.complain)
        found = self._find(Class.POLICY, ipsec.place, ipsec.title)
        self._old = found
        self._old_rules = [] if found is None else self._refer(found, "ipsecNFAReference")

    def written(self) -> Written:
        ipsec = self._ipsec
        self._lost_settings()
        policy = self._entry(Class.POLICY, self._old, ipsec.title, ipsec.description, self._policy_data())
        isakmp = self._isakmp(policy)
        rules = [self._rule(policy, half) for half in halves(ipsec, filter_lists(self._policy), self.complain)]
        policy = self._put(policy, ipsecISAKMPReference=[isakmp.dn], ipsecNFAReference=[one.dn for one in rules])
        self._owners(rules)
        return Written(policy, tuple(self._made.values()), tuple(self._findings))

    def _lost_settings(self) -> None:
        ipsec, mode = self._ipsec, self._ipsec.main_mode
        if ipsec.exempt is not DefaultExempt.IKE:
            self.warn(
                ipsec.place, "no-default-exempt is a setting of each computer, and no part of a directory's policy"
            )
        if mode.aggressive or mode.xauth is not None:
            self.complain(ipsec.place, "main-mode says aggressive or xauth, which Windows does not know")
        for one in self._policy:
            self.warn(one.place, f'"{one.name}" is no part of an IPsec policy, and is left out')

    def _policy_data(self) -> bytes:
        old = None if self._old is None else _decoded(self._old, blobs.decode_policy)
        seconds = self._ipsec.poll_interval_s
        blob = old or blobs.Blob(PolicyRecord(seconds))
        if (blob.record.poll_interval_s or 10_800) != seconds:
            blob = replace(blob, record=PolicyRecord(seconds))
        return blobs.encode_policy(blob)

    def _isakmp(self, policy: Entry) -> Entry:
        found = None if self._old is None else next(iter(self._refer(self._old, "ipsecISAKMPReference")), None)
        old = None if found is None else _decoded(found, blobs.decode_isakmp)
        data = blobs.encode_isakmp(self._isakmp_blob(old))
        entry = self._entry(Class.ISAKMP, found, "", "", data)
        return self._put(entry, **{OWNERS: [policy.dn]})

    def _isakmp_blob(self, old: blobs.Blob[IsakmpRecord] | None) -> blobs.Blob[IsakmpRecord]:
        mode = main_mode_with_classic(self._ipsec.main_mode) if self._ipsec.legacy else self._ipsec.main_mode
        if old is not None and tuple(proposals_of(old.record)[0]) == mode.methods:
            same = (old.record.quick_modes, bool(old.record.master_pfs)) == (mode.sessions, mode.pfs)
            if same and (not old.record.lifetime_s or old.record.lifetime_s == mode.lifetime_s):
                return old
        kept = []
        for one in mode.methods:
            try:
                key_exchange_of(one, mode.sessions)
                kept.append(one)
            except BadWord as error:
                self.warn(self._ipsec.place, f"main mode method {one} is left out: {error.why}")
        if not kept:
            self.complain(self._ipsec.place, "main mode has no method that a directory's policy can say")
        record = (
            old.record if old is not None else IsakmpRecord(bytes(16), bytes(4), 0, 0, bytes(4), 0, 0, bytes(20), ())
        )
        methods = key_exchanges_of(kept, mode.sessions, record)
        return blobs.Blob(
            replace(
                record, master_pfs=int(mode.pfs), new_dh=bytes(4), quick_modes=mode.sessions,
                lifetime_s=mode.lifetime_s, methods=methods,
            ),
            after=b"\0" if old is None else old.after,
        )  # fmt: skip

    def _rule(self, policy: Entry, half: Half) -> Entry:
        rule = half.rule
        dynamic = rule.filter_list == DYNAMIC
        old = self._old_rule(half)
        blob = self._rules.blob(half, None if old is None else _decoded(old, blobs.decode_nfa))
        entry = self._entry(Class.NFA, old, half.name, rule.description, blobs.encode_nfa(blob))
        action = self._action(rule.filter_action, entry, old, dynamic=dynamic, place=rule.place)
        lists = [] if dynamic else [self._list(half.filters, entry).dn]
        return self._put(
            entry, **{OWNERS: [policy.dn]}, ipsecNegotiationPolicyReference=[action.dn], ipsecFilterReference=lists
        )  # fmt: skip

    def _old_rule(self, half: Half) -> Entry | None:
        """The object that the rule was, each once."""
        for one in self._old_rules:
            named = bool(half.name) and one.text("ipsecName") == half.name
            response = half.rule.filter_list == DYNAMIC and not one.texts("ipsecFilterReference")
            if one.dn not in self._taken and (one.name == half.rule.place.document or named or response):
                self._taken.add(one.dn)
                return one
        return None

    def _action(self, name: str, rule: Entry, old: Entry | None, *, dynamic: bool, place: Place) -> Entry:
        chosen = (Class.NEGOTIATION, name, dynamic)
        if chosen not in self._chosen:
            action = filter_actions(self._policy).get(name)
            if action is None:
                self.complain(place, f'there is no filter action "{name}"')
                action = FilterAction(name, Response.BLOCK)
            if self._ipsec.legacy:
                action = with_classic(action)
            candidates = self._before.of_class(Class.NEGOTIATION)
            mine = [] if old is None else [one.dn for one in self._refer(old, "ipsecNegotiationPolicyReference")]
            named = [
                one for one in candidates
                if one.name == action.place.document or (one.dn in mine if dynamic else one.text("ipsecName") == name)
            ]  # fmt: skip
            self._chosen[chosen] = self._choose(named, lambda one: self._action_entry(action, one, dynamic=dynamic))
        return self._use(self._chosen[chosen], rule)

    def _action_entry(self, action: FilterAction, old: Entry | None, *, dynamic: bool) -> Entry:
        blob = None if old is None else _decoded(old, blobs.decode_negotiation)
        codes = {Response.BLOCK: BLOCK, Response.PERMIT: PERMIT}
        said = codes.get(action.response) or (PASS_THROUGH if action.accept_unsecured else SECURE)
        name = "" if dynamic and action.name == DEFAULT_RESPONSE_NAME else action.name
        entry = self._entry(
            Class.NEGOTIATION, old, name, action.description, blobs.encode_negotiation(self._offers(action, blob))
        )
        kind = DEFAULT_RESPONSE if dynamic else STANDARD
        same = {one: entry.text(one).upper() for one in ("ipsecNegotiationPolicyAction", "ipsecNegotiationPolicyType")}
        wanted = dict(zip(same, (said, kind), strict=True))
        return self._put(entry, **{one: [text] for one, text in wanted.items() if same[one] != text})

    def _offers(
        self, action: FilterAction, old: blobs.Blob[NegotiationRecord] | None
    ) -> blobs.Blob[NegotiationRecord]:  # fmt: skip
        before = () if old is None else old.record.offers
        pfs, kept = bool(action.pfs), []
        if isinstance(action.pfs, DhGroup):
            self.warn(action.place, f'filter action "{action.name}": its PFS is in main mode\'s group there')
        for method in action.methods:
            try:
                offer_of(method, pfs=pfs)
                kept.append(method)
            except BadWord as error:
                self.warn(action.place, f'filter action "{action.name}": {method} is left out: {error.why}')
        if action.response is Response.NEGOTIATE and not kept:
            self.complain(action.place, f'filter action "{action.name}" has no method that a directory can say')
        offers = offers_of(kept, pfs=pfs, before=before)
        if action.fallback_to_clear:
            offers += (fallback_of(before),)
        if old is not None and offers == before:
            return old
        return blobs.Blob(NegotiationRecord(offers), after=b"\0" if old is None else old.after)

    def _list(self, item: FilterList, rule: Entry) -> Entry:
        chosen = (Class.FILTER, item.name, False)
        if chosen not in self._chosen:
            named = [
                one for one in self._before.of_class(Class.FILTER)
                if one.name == item.place.document or one.text("ipsecName") == item.name
            ]  # fmt: skip
            self._chosen[chosen] = self._choose(named, lambda one: self._list_entry(item, one))
        return self._use(self._chosen[chosen], rule)

    def _list_entry(self, item: FilterList, old: Entry | None) -> Entry:
        blob = None if old is None else _decoded(old, blobs.decode_filters)
        wanted = [part for one in item.filters for part in one_by_one(one)]
        if blob is None or not _same_filters(blob, wanted):
            blob = self._filters(item, wanted, blob)
        return self._entry(Class.FILTER, old, item.name, item.description, blobs.encode_filters(blob))

    def _filters(self, item: FilterList, wanted: list[IpFilter], old: blobs.FilterBlob | None) -> blobs.FilterBlob:
        parts = list[tuple[IpFilter, bytes]]()
        for one in wanted:
            try:
                blob_of([(one, bytes(16))])
                parts.append((one, guid_octets(self._fresh())))
            except BadWord as error:
                self.complain(item.place, f'filter list "{item.name}": filter "{format_filter(one)}", {error.why}')
        try:
            return blob_of(parts, old)
        except BadWord:  # what is there is no list that could be kept
            return blob_of(parts)

    def _choose(self, candidates: list[Entry], make: Callable[[Entry | None], Entry]) -> Entry:
        """The object that is wanted: one that says just that, one that only this policy uses, or a new one."""
        mine = {key(one.dn) for one in self._old_rules}
        said = list(self._findings)
        for one in candidates:
            self._findings = list(said)
            if make(one).values == one.values:
                return one
        for one in candidates:
            self._findings = list(said)
            if all(key(dn) in mine for dn in one.texts(OWNERS)):
                return make(one)
        self._findings = said
        return make(None)

    def _use(self, entry: Entry, rule: Entry) -> Entry:
        self._made.setdefault(key(entry.dn), entry)
        users = self._used.setdefault(key(entry.dn), [])
        if rule.dn not in users:
            users.append(rule.dn)
        return entry

    def _owners(self, rules: Iterable[Entry]) -> None:
        """Both ways of all references, also of what the policy no longer uses."""
        gone = {key(one.dn) for one in self._old_rules} - {key(one.dn) for one in rules}
        old = [] if self._old is None else closure(self._old, self._before)
        for entry in old:
            if entry.is_a(Class.FILTER) or entry.is_a(Class.NEGOTIATION):
                self._made.setdefault(key(entry.dn), entry)
        mine = {key(one.dn) for one in self._old_rules} | gone
        for entry in list(self._made.values()):
            if entry.is_a(Class.FILTER) or entry.is_a(Class.NEGOTIATION):
                used = self._used.get(key(entry.dn), [])
                kept = [dn for dn in entry.texts(OWNERS) if key(dn) not in mine or key(dn) in map(key, used)]
                added = [dn for dn in used if key(dn) not in map(key, kept)]
                if added or len(kept) != len(entry.texts(OWNERS)):
                    self._put(entry, **{OWNERS: kept + added})

    def _entry(self, kind: Class, old: Entry | None, name: str, description: str, data: bytes) -> Entry:
        """An object with what all classes have."""
        if old is None:
            guid = self._fresh()
            dn = f"CN={kind.value}{guid},{self._container}"
            old = Entry.of(dn, {"objectClass": [b"top", kind.value.encode()], "ipsecID": [guid.encode()],
                                "ipsecDataType": [DATA_TYPE]})  # fmt: skip
        # What reading put there to tell two of one name apart, or in the place of none, is no part of the name.
        name = "" if name == old.name else name.removesuffix(f" {old.guid}")
        said = {"ipsecName": name, "description": description}
        values = {**old.values, "ipsecdata": (data,)}
        for attribute, text in said.items():
            if text:
                values[attribute.lower()] = (text.encode(),)
            elif kind is not Class.ISAKMP:
                values.pop(attribute.lower(), None)
        entry = Entry(old.dn, values)
        if kind in (Class.POLICY, Class.ISAKMP, Class.NFA):
            self._made[key(entry.dn)] = entry
        return entry

    def _put(self, entry: Entry, **attributes: list[str]) -> Entry:
        """The object with other values of these attributes; the order of those that stay is kept."""
        values = dict(entry.values)
        for attribute, texts in attributes.items():
            old = entry.texts(attribute)
            if sorted(map(key, old)) != sorted(map(key, texts)):
                values[attribute.lower()] = tuple(text.encode() for text in texts)
            if not values.get(attribute.lower(), ()):
                values.pop(attribute.lower(), None)
        made = Entry(entry.dn, values)
        if key(entry.dn) in self._made:
            self._made[key(entry.dn)] = made
        return made

    def _find(self, kind: Class, place: Place, name: str) -> Entry | None:
        found = self._before.of_class(kind)
        return next((one for one in found if one.name == place.document), None) or next(
            (one for one in found if one.text("ipsecName") == name), None
        )

    def _refer(self, entry: Entry, attribute: str) -> list[Entry]:
        found = (self._before.get(dn) for dn in entry.texts(attribute))
        return [one for one in found if one is not None]

    def warn(self, place: Place, what: str) -> None:
        """Something is written otherwise than it was said."""
        self._findings.append(Finding(what, place, severity=Severity.WARNING))

    def complain(self, place: Place, what: str) -> None:
        """Something cannot be written."""
        self._findings.append(Finding(what, place))


def _decoded(entry: Entry, decode: Callable[[bytes], T]) -> T | None:
    with suppress(DecodeError):
        return decode(entry.octets("ipsecData") or b"")
    return None


def _same_filters(blob: blobs.FilterBlob, wanted: list[IpFilter]) -> bool:
    """Whether a list means just these filters, in whatever order."""
    with suppress(BadWord):
        return sorted(map(repr, filters_of(blob))) == sorted(map(repr, wanted))
    return False
