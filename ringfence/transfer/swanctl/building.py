# SPDX-License-Identifier: Apache-2.0
"""Rules and filters out of what a connection says, whichever of the two programs it was written for.

A transport rule lies between this computer's addresses and the others'; in a tunnel the networks lie behind the two
ends of IKE. Everything is required to be protected: these programs know no "request", and what passes in clear there
before somebody begins is not meant to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity
from ringfence.databases.pool import Asks
from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.databases.sa import TunnelOptions
from ringfence.net.address import AddressRange
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.methods import weak
from ringfence.policy.model import (
    ANY,
    ME,
    Address,
    Auth,
    Filter,
    HostName,
    KeyModule,
    Keyword,
    Kind,
    MainMode,
    Need,
    Rule,
    Secure,
    Verb,
)
from ringfence.policy.scope import EVERYWHERE, Scope
from ringfence.transfer.consec import kind_of
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl.selectors import Flow, Selector, flows, whole

DYNAMIC = (Selector(None),)
TUNNEL, TRANSPORT, PASS, DROP = "tunnel", "transport", "pass", "drop"
ADDRESS_CURE = "Write its address."


@dataclass(frozen=True, slots=True)
class Draft:
    """What one connection says of one kind of traffic."""

    name: str
    line: int
    words: str
    """How it is spoken of: ``connection lab, child web``."""
    mode: str = TUNNEL
    local_addrs: tuple[Address, ...] = ()
    """The ends of IKE; empty for any."""
    remote_addrs: tuple[Address, ...] = ()
    local_ts: tuple[Selector, ...] = DYNAMIC
    remote_ts: tuple[Selector, ...] = DYNAMIC
    auth: tuple[Auth, ...] = ()
    keying: tuple[KeyModule, ...] = ()
    main_mode: MainMode | None = None
    protect: tuple[SecurityMethod, ...] = ()
    lifetime: Limits | None = None
    pfs: DhGroup | bool | None = None
    local_identity: Identity | None = None
    remote_identity: Identity | None = None
    tunnel: TunnelOptions = field(default_factory=TunnelOptions)
    replay_window: int = 64
    tfc_octets: int = 0
    initiate: bool = True
    nat_traversal: bool = True
    mobike: bool = True
    scope: Scope = EVERYWHERE
    asks: Asks | None = None
    """It wants an address of the other side."""
    pool: str = ""
    """It gives addresses of this one."""


def build(draft: Draft, report: Report) -> Iterator[Rule | Filter]:
    """The rules or filters; raises BadWord where there can be none."""
    found = flows(draft.local_ts, draft.remote_ts)
    if not found:
        raise BadWord("its traffic selectors have no protocol in common, so it is about nothing")
    for number, flow in enumerate(found, 1):
        name = draft.name if number == 1 else f"{draft.name} {number}"
        if draft.mode in (PASS, DROP):
            yield _filter(draft, flow, name)
        else:
            yield _rule(draft, flow, name, report)


def _filter(draft: Draft, flow: Flow, name: str) -> Filter:
    """Traffic without IPsec; the ends of IKE play no part."""
    local = whole(Keyword.ME if one is None else one for one in flow.local)
    remote = whole(Keyword.ANY if one is None else one for one in flow.remote)
    verb = Verb.PERMIT if draft.mode == PASS else Verb.BLOCK
    return Filter(name, verb, flow.traffic, local, ANY if Keyword.ANY in remote else remote, scope=draft.scope)


def _rule(draft: Draft, flow: Flow, name: str, report: Report) -> Rule:
    rule = Rule(
        name,
        Kind.CUSTOM,
        traffic=flow.traffic,
        secure=Secure(Need.REQUIRE, Need.REQUIRE),
        auth=draft.auth,
        protect=draft.protect,
        lifetime=draft.lifetime,
        pfs=draft.pfs,
        main_mode=draft.main_mode,
        keying=draft.keying,
        local_identity=draft.local_identity,
        remote_identity=draft.remote_identity,
        replay_window=draft.replay_window,
        tfc_octets=draft.tfc_octets if draft.mode == TUNNEL else 0,
        initiate=draft.initiate,
        nat_traversal=draft.nat_traversal,
        mobike=draft.mobike,
        scope=draft.scope,
    )
    if draft.mode == TUNNEL:
        rule = _tunnel(draft, flow, rule, report)
    else:
        local = _ends(flow.local, draft.local_addrs, ME)
        remote = _ends(flow.remote, draft.remote_addrs, ANY)
        rule = replace(rule, local=local, remote=remote)
    _check_families(rule)
    group = draft.pfs if isinstance(draft.pfs, DhGroup) else None
    names = weak([*draft.protect, group, *(draft.main_mode.methods if draft.main_mode is not None else ())])
    if names:
        report.note(draft.line, draft.words, f"{', '.join(names)} are weak, so the rule says legacy = true")
    return replace(rule, kind=kind_of(rule), legacy=bool(names))


def _ends(
    selected: tuple[AddressRange | None, ...], addresses: tuple[Address, ...], otherwise: tuple[Address, ...]
) -> tuple[Address, ...]:
    """The addresses of one end of a transport rule."""
    found: list[Address] = []
    for one in selected:
        found += [one] if one is not None else (addresses or otherwise)
    return whole(found)


def _tunnel(draft: Draft, flow: Flow, rule: Rule, report: Report) -> Rule:
    ends = (_gateway(draft, draft.local_addrs, "local", report), _gateway(draft, draft.remote_addrs, "remote", report))
    here, there = (None if one is None else AddressRange.host(one) for one in ends)
    local = whole((here or Keyword.ME) if one is None else one for one in flow.local)
    remote = whole((there or Keyword.ANY) if one is None else one for one in flow.remote)
    if Keyword.ANY in remote and remote != ANY:
        remote = ANY
    asks, pool = _assigned(draft, ends[1], report)
    local, remote = ME if asks is not None else local, ANY if pool else remote
    return replace(
        rule, local=local, remote=remote, gateways=Gateways(ends[1], ends[0], pool, asks), tunnel=draft.tunnel,
        initiate=draft.initiate and ends[1] is not None,
    )  # fmt: skip


def _assigned(draft: Draft, there: bytes | None, report: Report) -> tuple[Asks | None, str]:
    """What of the addresses that one side gives the other is for this kind of traffic."""
    asks, pool = draft.asks, draft.pool
    if asks is not None and (there is None or draft.local_ts != DYNAMIC):
        report.leave(draft.line, f"{draft.words}, vips", "the tunnel is for other addresses than it would be given")
        asks = None
    if pool and (draft.remote_ts != DYNAMIC or asks is not None):
        report.leave(draft.line, f"{draft.words}, pools", "the tunnel is for other addresses than those of the pools")
        pool = ""
    return asks, pool


def _gateway(draft: Draft, addresses: tuple[Address, ...], side: str, report: Report) -> bytes | None:
    """The end of a tunnel; None for any."""
    if not addresses:
        return None
    hosts = [one for one in addresses if isinstance(one, AddressRange) and one.is_host]
    if not hosts:
        named = next((one for one in addresses if isinstance(one, HostName)), None)
        if named is not None:
            raise BadWord(f"its tunnel ends at {named}, but here a tunnel ends at an address", cure=ADDRESS_CURE)
        what = "from wherever it comes" if side == "remote" else "this computer's address"
        report.note(draft.line, f"{draft.words}, {side} addresses", f"the tunnel's end is {what}")
        return None
    for one in addresses:
        if one != hosts[0]:
            report.leave(draft.line, f"{draft.words}, {side} address {one}", f"the tunnel ends at {hosts[0]} only")
    return hosts[0].first


def _check_families(rule: Rule) -> None:
    """Both ends have to have a version of IP in common."""
    versions = [
        {version for one in ends for version in ((one.version,) if isinstance(one, AddressRange) else (4, 6))}
        for ends in (rule.local, rule.remote)
    ]
    if not versions[0] & versions[1]:
        raise BadWord("it has IPv4 at one end and IPv6 at the other, so it is about nothing")
    gateways = rule.gateways
    if gateways and gateways.local and gateways.remote and len(gateways.local) != len(gateways.remote):
        raise BadWord("its tunnel has IPv4 at one end and IPv6 at the other")
