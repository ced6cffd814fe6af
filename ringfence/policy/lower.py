# SPDX-License-Identifier: Apache-2.0
"""An IPsec policy becomes rules and filters: each filter of each rule's list, with the rule's action, is a statement.

A filter that names ``me`` is read from this computer outward. Any other is about this computer only as far as it is at
one of the ends, where IPsec is negotiated; what is just permitted or blocked holds for forwarded packets, too. A tunnel
that is written as on Windows, a rule for each direction, becomes one statement with both ends.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ringfence.policy.defaults import FILTER_ACTIONS, FILTER_LISTS, main_mode_with_classic, with_classic
from ringfence.policy.gateways import Gateways
from ringfence.policy.ipfilter import format_filter, mirror
from ringfence.policy.model import (
    ANY,
    ME,
    Filter,
    Kerberos,
    KeyModule,
    Keyword,
    Kind,
    MainMode,
    Need,
    Part,
    Policy,
    Reading,
    Rule,
    Secure,
    Verb,
)
from ringfence.policy.settle import Settler
from ringfence.policy.windows import DYNAMIC, FilterAction, FilterList, IpFilter, IpsecPolicy, PolicyRule, Response

OTHER_WAY = {Reading.OUT: Reading.IN, Reading.IN: Reading.OUT}


def statements(policy: Policy) -> tuple[Rule | Filter, ...]:
    """Every rule and filter of ``policy``, those of its IPsec policies among them; a rule says all its terms here."""
    settle = Settler(policy)
    own = tuple(settle.rule(item) if isinstance(item, Rule) else item for item in policy)
    beneath = () if policy.beneath is None else statements(policy.beneath)
    return (*own, *beneath, *_lowered(policy))


def filter_lists(policy: Policy) -> Mapping[str, FilterList]:
    """All that its rules may name: its own and the predefined ones."""
    return {**FILTER_LISTS, **{one.name: one for one in policy.filter_lists}}


def filter_actions(policy: Policy) -> Mapping[str, FilterAction]:
    """All that its rules may name: its own and the predefined ones."""
    return {**FILTER_ACTIONS, **{one.name: one for one in policy.filter_actions}}


@dataclass(frozen=True, slots=True)
class Job:
    """One rule with all that it refers to."""

    ipsec: IpsecPolicy
    rule: PolicyRule
    action: FilterAction
    main_mode: MainMode
    gateways: Gateways | None = None

    def part(self, item: IpFilter, one_way: Reading | None) -> Part:
        """Where a statement comes from."""
        return Part(self.rule.filter_list, format_filter(item), one_way)


def tunnel_pairs(rules: Iterable[PolicyRule], lists: Mapping[str, FilterList]) -> dict[PolicyRule, PolicyRule]:
    """Each rule for one direction of a tunnel, and the rule for its other direction."""
    halves = [rule for rule in rules if isinstance(rule.tunnel, bytes) and rule.enabled]
    pairs: dict[PolicyRule, PolicyRule] = {}
    for rule in halves:
        wanted = {_cube(mirror(one)) for one in _filters(rule, lists)}
        for other in halves:
            if other is not rule and wanted == {_cube(one) for one in _filters(other, lists)}:
                pairs[rule] = other
    return pairs


def _lowered(policy: Policy) -> Iterator[Rule | Filter]:
    ipsec = policy.ipsec
    if ipsec is None:
        return
    lists, actions = filter_lists(policy), filter_actions(policy)
    main_mode = main_mode_with_classic(ipsec.main_mode) if ipsec.legacy else ipsec.main_mode
    pairs = tunnel_pairs(ipsec.rules, lists)
    for rule in ipsec.rules:
        action = actions.get(rule.filter_action)
        if action is None:
            continue
        if ipsec.legacy:
            action = with_classic(action)
        gateways = rule.tunnel if isinstance(rule.tunnel, Gateways) else None
        if isinstance(rule.tunnel, bytes):
            other = pairs.get(rule)
            if other is None or not isinstance(other.tunnel, bytes) or other.title < rule.title:
                continue  # the other half has both ends
            gateways = Gateways(rule.tunnel, other.tunnel)
        job = Job(ipsec, rule, action, main_mode, gateways)
        if rule.filter_list == DYNAMIC:
            yield _default_response(job)
        else:
            for item in _filters(rule, lists):
                yield from _statements(job, item)


def _filters(rule: PolicyRule, lists: Mapping[str, FilterList]) -> tuple[IpFilter, ...]:
    found = lists.get(rule.filter_list)
    return () if found is None else found.filters


def _cube(item: IpFilter) -> tuple[object, ...]:
    """What a filter is about, without its description."""
    return item.source, item.destination, item.traffic, item.mirrored


def _statements(job: Job, item: IpFilter) -> Iterator[Rule | Filter]:
    if item.destination is Keyword.ME:
        outward, reading = mirror(item), Reading.IN
    else:
        outward, reading = item, Reading.OUT
    one_way = None if item.mirrored or job.gateways else reading
    part = job.part(item, one_way)
    if job.action.response is Response.NEGOTIATE:
        yield _rule(job, outward, part, either_end=Keyword.ME not in (item.source, item.destination))
        return
    yield _filter(job, outward, part)
    if Keyword.ME not in (item.source, item.destination):
        back = None if one_way is None else OTHER_WAY[one_way]
        yield _filter(job, mirror(item), job.part(item, back))


def _rule(job: Job, item: IpFilter, part: Part, *, either_end: bool) -> Rule:
    rule, action = job.rule, job.action
    return Rule(
        name=rule.title,
        kind=Kind.TUNNEL if job.gateways else Kind.CUSTOM,
        local=(item.source,),
        remote=(item.destination,),
        either_end=either_end,
        traffic=(item.traffic,),
        secure=Secure(
            Need.REQUEST if action.accept_unsecured else Need.REQUIRE,
            Need.REQUEST if action.fallback_to_clear else Need.REQUIRE,
        ),
        auth=rule.auth or job.ipsec.auth or (Kerberos(),),
        protect=action.methods,
        lifetime=action.lifetime,
        pfs=job.action.pfs or None,
        main_mode=job.main_mode,
        keying=(KeyModule.IKEV1,),
        gateways=job.gateways,
        legacy=action.legacy or job.ipsec.legacy,
        scope=rule.connection.scope,
        enabled=rule.enabled,
        description=rule.description,
        part=part,
        place=rule.place or job.ipsec.place,
        places=rule.places,
    )


def _filter(job: Job, item: IpFilter, part: Part) -> Filter:
    rule = job.rule
    return Filter(
        name=rule.title,
        verb=Verb.PERMIT if job.action.response is Response.PERMIT else Verb.BLOCK,
        traffic=(item.traffic,),
        local=(item.source,),
        remote=(item.destination,),
        mirrored=part.one_way is None,
        scope=rule.connection.scope,
        enabled=rule.enabled,
        description=rule.description,
        part=part,
        place=rule.place or job.ipsec.place,
        places=rule.places,
    )


def _default_response(job: Job) -> Rule:
    item = IpFilter(ME[0], ANY[0])
    part = Part(DYNAMIC, respond_only=True)
    return replace(_rule(job, item, part, either_end=False), secure=Secure(Need.REQUEST, Need.REQUEST))
