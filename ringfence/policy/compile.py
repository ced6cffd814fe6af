# SPDX-License-Identifier: Apache-2.0
"""From Windows' words to RFC 4301's: a policy for one computer becomes its SPD and PAD.

Each rule and filter gives an entry for every combination of its addresses and traffic, ``me`` being replaced by this
computer's addresses. Entries are sorted so that the most specific decides (``weight``); before all stands what must
stay in clear (``exempt``), and before an entry that would protect multicast or broadcast one that leaves them alone.

An entry's name is its rule's name and its selector, so it stays the same as long as it means the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ringfence.crypto.suites import DhGroup
from ringfence.databases.admission import Admission
from ringfence.databases.demand import Demand, Grant
from ringfence.databases.pad import Ends, Pad
from ringfence.databases.pool import Assigned
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Processing, Spd, SpdEntry
from ringfence.net.address import AddressRange
from ringfence.net.flow import ESP
from ringfence.policy import masquerade
from ringfence.policy.able import admitted, unable, unable_filter, without, without_filter
from ringfence.policy.accounts import read
from ringfence.policy.certificates import EMPTY, Wallet, served
from ringfence.policy.compiled import Compiled as Compiled
from ringfence.policy.cubes import Cube, Cubes
from ringfence.policy.elsewhere import Elsewhere
from ringfence.policy.errors import Finding, PolicyError, Severity
from ringfence.policy.exempt import BUILT_IN as BUILT_IN
from ringfence.policy.exempt import V4, V6, exemptions, unprotected
from ringfence.policy.gateways import Gateways
from ringfence.policy.homes import homes
from ringfence.policy.host import HostFacts as HostFacts
from ringfence.policy.inclear import asked, built_in, clear, many, with_exemptions
from ringfence.policy.ipfilter import reverse
from ringfence.policy.lower import statements
from ringfence.policy.mainmodes import MainModes, Piece
from ringfence.policy.methods import for_pfs
from ringfence.policy.model import Filter, Keyword, Need, Policy, Rule, Verb
from ringfence.policy.multicast import ARROWS, beside_exempt, beside_multicast
from ringfence.policy.packetfilter import packet_lists
from ringfence.policy.peers import Peers
from ringfence.policy.protected import beside_tunnels
from ringfence.policy.secured import secured
from ringfence.policy.terms import MainMode, Masqueraded, Security
from ringfence.policy.weight import order
from ringfence.policy.windows import DefaultExempt
from ringfence.secret import Secret

ENTRIES_AT_MOST = 100_000


def compile_policy(policy: Policy, host: HostFacts, keys: Mapping[str, Secret], wallet: Wallet = EMPTY) -> Compiled:
    """The databases of ``policy`` on ``host``; ``keys`` has each key file's content by the name the policy gives it.

    Raises PolicyError when a key is missing or the policy cannot hold on this computer.
    """
    compiler = _Compiler(policy, host, keys, wallet)
    drafts: dict[tuple[Selector, Direction, str], SpdEntry] = {}
    guards: dict[tuple[Selector, Direction], SpdEntry] = {}
    guards_here: dict[tuple[Selector, Direction], SpdEntry] = {}
    made: Counter[str] = Counter()
    written = [item for item in statements(policy) if item.enabled]
    for item in written:
        for entry in compiler.rule(item) if isinstance(item, Rule) else compiler.filter(item):
            key = entry.selector, entry.directions, entry.origin.rule
            drafts[key] = max(drafts.get(key, entry), entry, key=lambda one: one.weight)
            made[item.name] += 1
            if len(drafts) > ENTRIES_AT_MOST:
                raise PolicyError([compiler.finding(item, f"makes the policy larger than {ENTRIES_AT_MOST} entries")])
        here = not item.scope.everywhere or Keyword.LOCAL_SUBNET in (*item.local, *item.remote)
        some = guards_here if here else guards
        some |= {(entry.selector, entry.directions): entry for entry in compiler.guards(item)}
    if compiler.errors:
        raise PolicyError(list(dict.fromkeys(compiler.errors)))
    refusals = tuple(compiler.refusals(written))
    doubts = [doubt for item in written for doubt in compiler.doubts(item, made[item.name])]
    rules = {item.name for item in written if isinstance(item, Rule)}
    filters = {item.name: item for item in written if isinstance(item, Filter) and item.secure is not None}
    entries = secured(sorted(drafts.values(), key=order), rules, filters)
    if len(entries) > ENTRIES_AT_MOST:
        first_one = next(iter(filters.values()))
        raise PolicyError([compiler.finding(first_one, f"makes the policy larger than {ENTRIES_AT_MOST} entries")])
    exempt = DefaultExempt.IKE if policy.ipsec is None else policy.ipsec.exempt
    first = exemptions(exempt, policy.settings.exempt)
    always = [*built_in(tuple(compiler.ends), first), *(many(host.broadcasts) if exempt.multicast else ())]
    before = list(asked(entries, first, tuple(compiler.ends)))
    entries = beside_exempt(beside_multicast(entries, host.broadcasts), unprotected(policy.settings.exempt))
    entries = beside_tunnels(entries, {one.name for one in written if isinstance(one, Rule) and one.exempt_protected})
    pad = _used(compiler.peers.pad(host.outer), drafts.values())
    spd = Spd(
        tuple(with_exemptions(entries, always, before)),
        (*guards.values(), *(_known(host.own) if guards_here else ()), *guards_here.values()),
        homes((item.scope for item in written), compiler.cubes.situations),
        tuple(packet_lists(policy.packet_filters, host)),
        translated=policy.settings.masqueraded is Masqueraded.BLOCK,
        tcp_ports=tuple(sorted({one.tcp.port for one in pad if one.tcp is not None})),
    )
    doubts += masquerade.findings(spd, host, policy.settings)
    situated = policy.profiles.known or any(not item.scope.everywhere for item in written)
    return Compiled(
        spd,
        pad,
        tuple(dict.fromkeys(doubts)),
        tuple(dict.fromkeys(refusals)),
        own=frozenset(host.own),
        boot=policy.boot,
        situations=compiler.cubes.situations if situated else (),
        links={address: one.name for one in host.interfaces for address in one.addresses},
        masqueraded=policy.settings.masqueraded if host.masquerades else None,
        main_modes=compiler.deciding,
        undecisive=tuple(compiler.main_modes.findings()),
        elsewhere=Elsewhere(written, compiler.cubes),
    )


def _used(pad: Pad, entries: Iterable[SpdEntry]) -> Pad:
    """The peers of these entries; a rule that holds nowhere now must not let anybody in."""
    named = {entry.peer for entry in entries}
    used = tuple(one for one in pad if one.name in named)
    return Pad(used, pad.own if any(one.mobike for one in used) else ())


def _known(own: Iterable[bytes]) -> Iterator[SpdEntry]:
    """Leave the addresses that entries know to them."""
    for one in map(AddressRange.host, own):
        yield clear("known address", Selector(one, V4 if one.version == 4 else V6))


class _Compiler:
    def __init__(self, policy: Policy, host: HostFacts, keys: Mapping[str, Secret], wallet: Wallet) -> None:
        self.policy = policy
        self.authorities = tuple(one.name for one in policy.authorities)
        self.host = host
        said = policy.settings
        self.peers = Peers(
            keys, said.through_nat, said.dead_peer, fragmentation=said.fragmentation, wallet=wallet,
            crl_check=said.crl_check, pools={one.name: one.compiled for one in policy.pools},
            psk_encoding=said.psk_encoding,
        )  # fmt: skip
        self.cubes = Cubes(host, policy.profiles)
        self.tomorrow = Cubes(host, policy.profiles, any_is_own=True)
        self.main_modes = MainModes(policy, self.cubes)
        self.deciding: dict[str, Origin] = {}
        """The main mode rules that decide, by the names of entries."""
        self.decided: dict[str, list[Rule]] = {}
        """By a rule's name what it came to with the main modes that decide for its peers."""
        self._peers: dict[int, tuple[Rule, str]] = {}
        """The PAD entry of a rule by the object's number; it is kept, so that the number stays its own."""
        self.ends = dict.fromkeys(host.own)
        """The addresses that this computer may negotiate from: its own, and those where its tunnels begin."""
        self.errors: list[Finding] = []

    def finding(
        self, item: Rule | Filter, what: str, severity: Severity = Severity.ERROR, cure: str = "", setting: str = ""
    ) -> Finding:
        """A finding about ``item``, or one setting of it."""
        subject = f'{"rule" if isinstance(item, Rule) else "filter"} "{item.name}"'
        place = item.places.get(setting, item.place)
        return Finding(f"{subject} {what}.", place, subject, setting, cure=cure, severity=severity)

    def doubts(self, item: Rule | Filter, made: int) -> Iterator[Finding]:
        """Why ``item``, of whose name so many entries were made, may not do what it was written for."""
        said = self.policy.settings
        for what in without(item, said, self.authorities) if isinstance(item, Rule) else without_filter(item):
            yield self.finding(item, what, Severity.WARNING)
        unknown = self.cubes.unknown(item)
        for word in unknown:
            text = word.value if isinstance(word, Keyword) else word
            yield self.finding(item, f'matches nothing for "{text}", which stands for no address now', Severity.WARNING)
        if not made and not unknown and any(one.within(item.scope) for one in self.cubes.situations):
            yield self.finding(item, "holds for no address of this computer", Severity.WARNING)

    def refusals(self, written: Iterable[Rule | Filter]) -> Iterator[Finding]:
        """What this version cannot carry out."""
        for item in written:
            for one in unable_filter(item) if isinstance(item, Filter) else ():
                yield self.finding(item, one.what, cure=one.cure, setting=one.setting)
        rules = {item.name: item for item in written if isinstance(item, Rule)}
        for name, rule in rules.items():
            for decided in self.decided.get(name, [rule]):
                for one in unable(decided, self.policy.settings, self.authorities):
                    yield self.finding(rule, one.what, cure=one.cure, setting=one.setting)

    def rule(self, rule: Rule) -> Iterator[SpdEntry]:
        """The entries of a connection security rule."""
        rule = self._oriented(rule)
        if rule.gateways is not None and not self._begins_here(rule, rule.gateways):
            return
        if rule.secure.exempt:
            for cube in self.cubes.of(rule):
                yield self._entry(rule, cube, Action.BYPASS)
            return
        out = rule.secure.outward is not Need.NONE
        for cube in self.cubes.of(rule):
            for sealed in cube.protected() if rule.exempt_protected else ():
                yield self._entry(rule, sealed, Action.BYPASS)
            if cube.selector.protocol == ESP and rule.exempt_protected:
                continue
            for remote, decided in self._pieces(rule, cube):
                processing = self._processing(decided)
                if processing is None:
                    return
                piece = cube if remote is cube.selector.destination else cube.to(remote)
                entry = self._entry(rule, piece if out else piece.into(), Action.PROTECT)
                yield replace(entry, processing=processing, peer=self._peer(decided, entry))
            if not out:
                yield self._entry(rule, cube._replace(directions=Direction.OUT), Action.BYPASS)

    def _pieces(self, rule: Rule, cube: Cube) -> Iterator[Piece]:
        """The peers of a cube, by the main mode that decides for them."""
        gateways, selector = rule.gateways, cube.selector
        if gateways is None:
            yield from self.main_modes.pieces(rule, selector.source, selector.destination)
            return
        decided = [
            # For peers from anywhere only a main mode rule about them all can decide.
            dict(self.main_modes.pieces(rule, here, there)).get(there, rule)
            for there, here in self._gateways(rule, gateways)
        ]
        # So can only one about all of our addresses where any may be our end.
        yield selector.destination, decided[0] if decided and all(one is decided[0] for one in decided) else rule

    def _begins_here(self, rule: Rule, gateways: Gateways) -> bool:
        """Whether our end of the tunnel is where the rule holds."""
        if rule.scope.everywhere:
            return True
        own = self.cubes.own(rule.scope)
        return gateways.local in own if gateways.local is not None else bool(own)

    def _oriented(self, rule: Rule) -> Rule:
        """A tunnel that does not say at which end this computer is, from its own end outward."""
        if rule.gateways is None:
            return rule
        gateways = rule.gateways
        if rule.part.filter_list and gateways.local is not None and gateways.remote in self.host.own:
            gateways = Gateways(gateways.local, gateways.remote)
            if rule.either_end:
                traffic = tuple(map(reverse, rule.traffic))
                rule = replace(rule, local=rule.remote, remote=rule.local, traffic=traffic)
        if gateways.local is not None:
            self.ends[gateways.local] = None
        return replace(rule, gateways=gateways, either_end=False)

    def guards(self, item: Rule | Filter) -> Iterator[SpdEntry]:
        """What ``item`` would block or require if this computer had just got an address that it is about."""
        if item.scope.interfaces or (item.scope.profiles and self.policy.profiles.default not in item.scope.profiles):
            return
        if isinstance(item, Filter):
            blocks = item.verb is Verb.BLOCK or (item.secure is not None and not item.override_block)
            if blocks and Keyword.ME in (*item.local, *item.remote):
                for cube in self.tomorrow.of(item):
                    yield self._entry(item, cube, Action.DISCARD)
        elif not item.secure.exempt and (item.gateways is None or Keyword.ME in item.local):
            needed = (Direction.OUT if item.secure.outward is Need.REQUIRE else Direction(0)) | (
                Direction.IN if item.secure.inward is Need.REQUIRE else Direction(0)
            )
            for cube in self.tomorrow.of(self._oriented(item)):
                if cube.directions & needed:
                    yield self._entry(item, cube._replace(directions=cube.directions & needed), Action.DISCARD)

    def filter(self, item: Filter) -> Iterator[SpdEntry]:
        """The entries of a filter that permits or blocks; of one that permits what is secure, what of it is not."""
        action = Action.DISCARD if item.verb is Verb.BLOCK or item.secure is not None else Action.BYPASS
        demand = None
        if item.secure is not None:
            negotiated = item.secure is Security.NEGOTIATED
            encrypted = negotiated or item.secure is Security.ENCRYPTED
            demand = Demand((Grant(item.name, encrypted, negotiated, read(item.allow, item.deny).admission),))
        for cube in self.cubes.of(item):
            yield replace(self._entry(item, cube, action), demand=demand)

    def _entry(self, item: Rule | Filter, cube: Cube, action: Action) -> SpdEntry:
        arrow = ARROWS[cube.directions]
        name = f"{item.name}/{str(cube.selector).replace('->', arrow, 1)}"
        processing = Processing(()) if action is Action.PROTECT else None
        origin = Origin(item.name, item.place, item.part.filter_list)
        weight = 0 if item.part.respond_only else cube.weight
        return SpdEntry(name, cube.selector, action, origin, cube.directions, processing, weight=weight)

    def _processing(self, rule: Rule) -> Processing | None:
        local = remote = None
        if rule.gateways is not None:
            local, remote = self._tunnel_ends(rule, rule.gateways), rule.gateways.remote
            if local is None and remote is not None and rule.gateways.asks is None:
                return None
        return Processing(
            methods=tuple(method for method in rule.protect if method.encapsulate),
            mode=Mode.TUNNEL if rule.gateways else Mode.TRANSPORT,
            tunnel_local=local,
            tunnel_remote=remote,
            others=() if rule.gateways is None else rule.gateways.others,
            assigned=_assigned(rule.gateways),
            pfs=next(iter(_pfs(rule)), None),
            pfs_further=_pfs(rule)[1:],
            clear_in=rule.secure.inward is not Need.REQUIRE,
            clear_out=rule.secure.outward is Need.REQUEST,
            replay_window=rule.replay_window,
            tunnel=rule.tunnel,
            tfc_octets=rule.tfc_octets,
            udp=rule.nat_traversal,
            idle_s=self.policy.settings.idle_s,
            respond_only=rule.part.respond_only,
        )

    def _tunnel_ends(self, rule: Rule, gateways: Gateways) -> bytes | None:
        if gateways.local is not None or gateways.remote is None:
            return gateways.local
        octets = len(gateways.remote)
        found = self.cubes.own(rule.scope)
        own = [one for one in found if len(one) == octets and one not in self.host.assigned]
        if len(own) == 1:
            return own[0]
        if gateways.asks is not None:
            return self._way_out(own)
        why = "has no address of that family" if not own else "has several addresses"
        self.errors.append(
            self.finding(
                rule, f"does not say local.gateway, and this computer {why}",
                cure="Say at which of its addresses the tunnel begins.",
            )
        )  # fmt: skip
        return None

    def _gateways(self, rule: Rule, gateways: Gateways) -> Iterator[tuple[AddressRange, AddressRange]]:
        """Between which addresses a tunnel may be: those of the other end, and ours."""
        local = self._tunnel_ends(rule, gateways)
        for here in self.cubes.own(rule.scope) if local is None else (local,):
            there = (V4 if len(here) == 4 else V6) if gateways.remote is None else AddressRange.host(gateways.remote)
            if len(there.first) == len(here):
                yield there, AddressRange.host(here)

    def _ends(self, rule: Rule, selector: Selector) -> Iterator[Ends]:
        """Between which addresses the rule is negotiated for that traffic."""
        if rule.gateways is None:
            yield Ends(selector.destination, selector.source)
        else:
            pairs = [*self._gateways(rule, rule.gateways)]
            if rule.gateways.asks is not None and rule.mobike:  # it may go over to any other of our addresses
                found = {one: there for there, here in pairs for one in self.cubes.own(rule.scope)
                         if one in self.host.outer and len(one) == len(here.first)}  # fmt: skip
                pairs += [(there, AddressRange.host(one)) for one, there in found.items()]
            yield from (Ends(there, here) for there, here in pairs)
            yield from (
                Ends(one, here) for one in rule.gateways.others for _, here in pairs if one.version == here.version
            )

    def _way_out(self, own: list[bytes]) -> bytes | None:
        """Of several addresses one where there is a default route; None while this computer is offline."""
        for one in self.host.interfaces:
            for address in one.addresses:
                if address in own and any(len(hop) == len(address) for hop in one.gateways):
                    return address
        return own[0] if own else None

    def _peer(self, rule: Rule, entry: SpdEntry) -> str:
        """The PAD entry of a rule, also for the peers of this entry."""
        if (main := self.main_modes.deciding(rule)) is not None:
            self.deciding[entry.name] = Origin(main.name, main.place)
        known = self._peers.get(id(rule))
        if known is None:
            keys = tuple(auth for auth in rule.auth if served(auth, self.authorities, rule.keying))
            found = list(admitted(rule, self.policy.settings))
            admissions = tuple(one.admission for one in found)
            users = tuple(one.user_admission for one in found if one.user_admission != Admission())
            origin = Origin(rule.name, rule.place)
            name, missing = self.peers.add(rule, keys or rule.auth, admissions, origin, users)
            for file in missing:
                what, cure = f'has no key: "{file}" could not be read', "Each key file stands beside the policy."
                self.errors.append(self.finding(rule, what, cure=cure))
            self.decided.setdefault(rule.name, []).append(rule)
            known = self._peers[id(rule)] = rule, name
        self.peers.widen(known[1], self._ends(rule, entry.selector))
        return known[1]


def _assigned(gateways: Gateways | None) -> Assigned | None:
    if gateways is None or (gateways.asks is None and not gateways.pool):
        return None
    return Assigned.THEIRS if gateways.pool else Assigned.OURS


def _pfs(rule: Rule) -> tuple[DhGroup, ...]:
    """Key exchanges of quick mode."""
    if isinstance(rule.pfs, DhGroup):
        return (rule.pfs,)
    method = for_pfs((rule.main_mode or MainMode()).methods)
    return (method.group, *method.further) if rule.pfs else ()
