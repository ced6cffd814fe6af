# SPDX-License-Identifier: Apache-2.0
"""A policy as swanctl.conf: a connection with one child for each rule, and shunts for what goes without IPsec.

strongSwan then does for this computer what Ringfence did. Its trap policies keep traffic back until there are SAs, as
"require" does; "request" and whatever else it cannot say is left out, and the file's head says so. A rule that would
protect less, or let in more, than it says is left out whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import DfPolicy, TunnelOptions
from ringfence.net.address import format_address
from ringfence.place import Place
from ringfence.policy.boot import NO_BOOT
from ringfence.policy.errors import BadWord
from ringfence.policy.keying import versions
from ringfence.policy.lower import statements
from ringfence.policy.methods import for_pfs
from ringfence.policy.model import (
    ME,
    Address,
    Certificate,
    Filter,
    KeyModule,
    Need,
    Policy,
    PskFile,
    Reading,
    Rule,
    Verb,
)
from ringfence.policy.pools import AddressPool
from ringfence.policy.rawkeys import PublicKeys
from ringfence.policy.resultant import SETTINGS
from ringfence.policy.scope import Device, Scope
from ringfence.policy.terms import GlobalSettings, MainMode
from ringfence.policy.traffic import Traffic
from ringfence.transfer.base import Exported, LeftOut, key_of_file, slug, unassigned
from ringfence.transfer.swanctl.algorithms import ike_word, transform_word
from ringfence.transfer.swanctl.keys import Secret, choose, identity_word, key_word
from ringfence.transfer.swanctl.pools import admitted, lost, pool_blocks, vips
from ringfence.transfer.swanctl.publickeys import public_key
from ringfence.transfer.swanctl.shapes import (
    Lines,
    address_word,
    block,
    hosts,
    inner,
    key_octets,
    merged,
    one_way,
    pooled,
    quoted,
    selectors,
)

PLACEHOLDER = "the-key-is-not-at-hand"
PLAIN = GlobalSettings()


def write_conf(policy: Policy, keys: Mapping[str, str]) -> Exported:
    """The file, and what it does not say."""
    writer = _Writer(keys)
    writer.write(policy)
    return Exported(writer.text(), tuple(dict.fromkeys(writer.left)))


class _Writer:
    def __init__(self, keys: Mapping[str, str]) -> None:
        self.left: list[LeftOut] = []
        self._keys = keys
        self._connections: list[Lines] = []
        self._shunts: list[Lines] = []
        self._secrets: dict[tuple[str, bool], list[Identity]] = {}
        """A key file, and whether the key is for those only whom it names."""
        self._users: list[tuple[Rule, str, set[Identity], set[Identity]]] = []
        self._names: set[str] = set()
        self._pools: dict[str, AddressPool] = {}
        self._used: set[str] = set()

    def leave(self, place: Place, words: str, why: str, cure: str = "") -> None:
        self.left.append(LeftOut(str(place), words, why, cure))

    def write(self, policy: Policy) -> None:
        """All rules, filters, and what has no place in the file."""
        self._pools = {one.name: one for one in policy.pools}
        for item in statements(policy):
            kind = "rule" if isinstance(item, Rule) else "filter"
            words = f'{kind} "{item.name}"'
            try:
                if not item.enabled:
                    raise BadWord("it is switched off")
                if isinstance(item, Filter):
                    self._filter(item, words)
                elif item.secure.exempt:
                    self._exemption(item, words)
                else:
                    self._rule(item, words)
            except BadWord as error:
                self.leave(item.place, words, error.why, error.cure)
        self.left += unassigned(policy, "it is not assigned, and strongSwan has one policy at a time")
        for one in policy.packet_filters:
            self.leave(one.place, f'packet filter "{one.name}"', "strongSwan does not filter packets on interfaces")
        if policy.boot != NO_BOOT:
            self.leave(policy.boot.place, "[boot]", "strongSwan leaves what passes before it is up to the firewall")
        for each in policy.main_modes:
            self.leave(each.place, f'main mode rule "{each.name}"', "each connection says its main mode itself")
        self._check_keys()
        self._global(policy.settings)

    def _global(self, settings: GlobalSettings) -> None:
        inherited = {"auth", "protect", "main-mode", "require-encryption", "legacy", "local-rules"}
        for (word, *_), values in SETTINGS:
            if word not in inherited and any(getattr(settings, one) != getattr(PLAIN, one) for one in values):
                where = settings.places.get(word, settings.place)
                self.leave(where, f"global, {word}", "strongSwan says it elsewhere, or not at all")

    def text(self) -> str:
        """The whole file."""
        head = ["# Connections for strongSwan, written by Ringfence. Load it: swanctl --load-all"]
        head += [f"# Left out: {line}" for one in dict.fromkeys(self.left) for line in str(one).splitlines()]
        connections = [*self._connections]
        if self._shunts:
            body = [line for child in self._shunts for line in child]
            connections.append(block(self._name("without-ipsec"), block("children", body)))
        parts = ["\n".join(head), "\n".join(block("connections", [line for one in connections for line in one]))]
        secrets = [line for (file, _), ids in self._secrets.items() for line in self._secret(file, ids)]
        parts += ["\n".join(block("secrets", secrets))] if secrets else []
        pools = [line for one in self._pools.values() if one.name in self._used
                 for name, body in pool_blocks(one) for line in block(name, body)]  # fmt: skip
        parts += ["\n".join(block("pools", pools))] if pools else []
        return "\n\n".join(parts) + "\n"

    def _name(self, title: str) -> str:
        stem = slug(title) or "rule"
        name, number = stem, 1
        while name in self._names:
            number += 1
            name = f"{stem}-{number}"
        self._names.add(name)
        return name

    def _titled(self, title: str, words: str, place: Place) -> str:
        name = self._name(title)
        if name != title:
            self.leave(place, f"{words}, name", f"strongSwan's names are plainer: {name}")
        return name

    # -- shunts

    def _filter(self, item: Filter, words: str) -> None:
        if item.secure is not None:
            raise BadWord(
                "strongSwan asks of no SA whose or how strong it is", cure="Say it in the rule that protects."
            )
        if item.either_end or not item.mirrored or item.part.one_way is not None:
            raise BadWord("strongSwan's shunts are for both directions, from one end")
        traffic = [*item.traffic]
        if item.direction is Reading.IN:
            traffic = [replace(one, sender_ports=one.receiver_ports, receiver_ports=one.sender_ports)
                       for one in traffic]  # fmt: skip
        elif item.direction is Reading.BOTH:
            raise BadWord("strongSwan's shunts are for both directions, from one end")
        self._shunt(item, traffic, "pass" if item.verb is Verb.PERMIT else "drop", words)

    def _exemption(self, rule: Rule, words: str) -> None:
        if rule.either_end or rule.gateways is not None:
            raise BadWord("strongSwan's shunts are for both directions, from one end")
        self._shunt(rule, [*rule.traffic], "pass", words)

    def _shunt(self, item: Rule | Filter, traffic: list[Traffic], mode: str, words: str) -> None:
        both = [one for kind in traffic for one in one_way(kind)]
        remote: tuple[Address | None, ...] = item.remote
        device = self._device(item.scope, words, item.place)
        flows = [selectors(item.local, remote, one) for one in both]
        for number, (local_ts, remote_ts) in enumerate(merged(flows)):
            title = item.name if not number else f"{item.name} {number + 1}"
            lines = [f"mode = {mode}", f"local_ts = {', '.join(local_ts)}", f"remote_ts = {', '.join(remote_ts)}"]
            self._shunts.append(block(self._titled(title, words, item.place), [*lines, *device, "start_action = trap"]))

    # -- rules

    def _rule(self, rule: Rule, words: str) -> None:
        self._refuse(rule)
        auth, ends = self._auth(rule, words), self._ends(rule)
        children = self._children(rule, words)
        name = self._titled(rule.name, words, rule.place)
        first, *more = versions(rule, rule.auth)
        mode = rule.main_mode or MainMode()
        over = mode.lifetime_s // 10
        lines = [
            f"version = {0 if more else first}", *ends, f"proposals = {', '.join(map(ike_word, mode.methods))}",
            f"rekey_time = {mode.lifetime_s - over}", f"over_time = {over}", *["aggressive = yes"] * mode.aggressive,
            *(f"reauth_time = {seconds - seconds // 10}" for seconds in (mode.reauthenticate_s,) if seconds),
            *self._addresses(rule, words),
        ]  # fmt: skip
        for setting, said in (("sessions", mode.sessions), ("pfs", mode.pfs)):
            if said:
                self.leave(rule.place, f"{words}, main-mode.{setting}", "strongSwan does not count quick modes")
        if not rule.nat_traversal:
            self.leave(rule.place, f"{words}, nat-traversal", "strongSwan always looks for NAT")
        lines += [*["mobike = no"] * (not rule.mobike), *self._sides(rule, auth, words)]
        body = [line for number, (head, child) in enumerate(children)
                for line in block(name if not number else f"{name}-{number + 1}", [*head, *child])]  # fmt: skip
        if isinstance(auth, PskFile):
            self._key(auth, rule, words)
        self._connections.append(
            [f"# {rule.name}"] * (name != rule.name) + block(name, [*lines, *block("children", body)])
        )

    def _refuse(self, rule: Rule) -> None:
        """What would be another rule in strongSwan's words is none."""
        reasons = (
            (rule.either_end, "strongSwan has to know which end this computer is", "Say local and remote."),
            (
                (rule.allow or rule.deny or rule.authorize) and not pooled(rule),
                "strongSwan does not ask who may use it",
                "",
            ),
            (_elsewhere(rule), "what it says of other gateways is not written here", ""),
            (rule.resumption, "strongSwan resumes nothing by tickets", ""),
            (rule.ppk, "its postquantum key is not written here", "Write ppk_id and its secret by hand."),
            (rule.tcp and rule.tcp.only, "strongSwan does not speak TCP", ""),
            (rule.own_auth, "a connection proves both sides alike here", "Write local { auth } by hand."),
            (rule.main_mode and rule.main_mode.xauth, "its users are not written here", "Write local-2 by hand."),
            (rule.second_auth, "strongSwan has no second authentication like Windows'", ""),
            (rule.part.one_way is not None or rule.part.respond_only, "strongSwan protects both directions", ""),
            (KeyModule.AUTHIP in rule.keying and len(rule.keying) == 1, "strongSwan does not speak AuthIP", ""),
            (rule.exempt_protected, "strongSwan would put what is protected already into the tunnel", ""),
        )
        if pooled(rule):
            admitted(rule)
        for holds, why, cure in reasons:
            if holds:
                raise BadWord(why, cure=cure)

    def _auth(self, rule: Rule, words: str) -> PskFile | Certificate | PublicKeys:
        usable = [one for one in rule.auth if isinstance(one, PskFile | Certificate | PublicKeys)]
        if not usable:
            raise BadWord("keys and certificates are carried over, and no other proof")
        for one in rule.auth:
            if one is not usable[0]:
                self.leave(rule.place, f"{words}, {one}", "a connection has one way to authenticate")
        chosen = usable[0]
        if isinstance(chosen, Certificate) and chosen != Certificate(chosen.authority):
            raise BadWord("of a certificate, strongSwan is told the authority only")
        return chosen

    def _ends(self, rule: Rule) -> Lines:
        if rule.gateways is not None:
            remote = "%any" if rule.gateways.remote is None else format_address(rule.gateways.remote)
            local = [] if rule.gateways.local is None else [f"local_addrs = {format_address(rule.gateways.local)}"]
            return [*local, f"remote_addrs = {remote}"]
        local = [] if rule.local == ME else [f"local_addrs = {', '.join(map(address_word, rule.local))}"]
        return [*local, f"remote_addrs = {', '.join(map(address_word, rule.remote))}"]

    def _sides(self, rule: Rule, auth: PskFile | Certificate | PublicKeys, words: str) -> Lines:
        way = "psk" if isinstance(auth, PskFile) else "pubkey"
        ids = [[] if one is None else [f"id = {quoted(identity_word(one))}"] for one in
               (rule.local_identity, rule.remote_identity)]  # fmt: skip
        if isinstance(auth, PublicKeys):
            key, note = public_key(auth)
            self.leave(rule.place, f"{words}, auth", note)
            return [*block("local", [f"auth = {way}", *ids[0]]), *block("remote", [f"auth = {way}", *ids[1], key])]
        authority = [f"ca_id = {quoted(auth.authority)}"] if isinstance(auth, Certificate) else []
        if pooled(rule) and not ids[1] and (pattern := admitted(rule)):
            ids[1] = [f"id = {quoted(pattern)}"]
        return [
            *block("local", [f"auth = {way}", *ids[0]]),
            *block("remote", [f"auth = {way}", *ids[1], *authority]),
        ]

    def _addresses(self, rule: Rule, words: str) -> Lines:
        """What the connection says of addresses that one side gives the other."""
        if rule.gateways is None:
            return []
        pool = self._pools.get(rule.gateways.pool)
        for place, what, why in lost(rule, pool):
            self.leave(place, f"{words}, {what}", why)
        if pool is None:
            return vips(rule.gateways)
        self._used.add(pool.name)
        return [f"pools = {', '.join(name for name, _ in pool_blocks(pool))}"]

    def _children(self, rule: Rule, words: str) -> list[tuple[Lines, Lines]]:
        tunnel = rule.gateways is not None
        local: tuple[Address | None, ...] = rule.local if tunnel else inner(rule.local)
        remote: tuple[Address | None, ...] = rule.remote if tunnel else inner(rule.remote)
        if rule.gateways is not None and (rule.gateways.asks is not None or rule.gateways.pool):
            local, remote = ((None,), remote) if rule.gateways.asks is not None else (local, (None,))
        flows = [selectors(local, remote, one) for kind in rule.traffic for one in one_way(kind)]
        rest = [f"mode = {'tunnel' if tunnel else 'transport'}", *self._quick_mode(rule, words),
                *self._device(rule.scope, words, rule.place), *self._more(rule, words)]  # fmt: skip
        return [
            ([f"local_ts = {', '.join(here)}", f"remote_ts = {', '.join(there)}"], rest)
            for here, there in merged(flows)
        ]

    def _quick_mode(self, rule: Rule, words: str) -> Iterator[str]:
        plain = [one for one in rule.protect if len(one.transforms) == 1 and one.encapsulate]
        if not plain:
            raise BadWord("strongSwan negotiates ESP or AH, not both on one packet, and no null encapsulation")
        protocol = plain[0].transforms[0].protocol
        kept = [one for one in plain if one.transforms[0].protocol is protocol]
        for one in rule.protect:
            if one not in kept:
                self.leave(rule.place, f"{words}, {one}", f"strongSwan then has {protocol.name} only")
        group, further = rule.pfs if isinstance(rule.pfs, DhGroup) else None, tuple[DhGroup, ...]()
        if rule.pfs is True:
            repeated = for_pfs((rule.main_mode or MainMode()).methods)
            group, further = repeated.group, repeated.further
        key = "ah_proposals" if protocol is Protocol.AH else "esp_proposals"
        yield f"{key} = {', '.join(transform_word(one.transforms[0], group, further) for one in kept)}"
        limits = kept[0].limits if kept[0].limits.seconds else rule.lifetime
        if limits is None:
            return
        for one in kept:
            if one.limits.seconds and one.limits != limits:
                self.leave(rule.place, f"{words}, lifetime of {one}", "strongSwan has one for all methods")
        for unit, value in (("time", limits.seconds), ("bytes", limits.octets), ("packets", limits.packets)):
            if value:
                yield f"life_{unit} = {value}"
                yield f"rekey_{unit} = {value - value // 10}"

    def _more(self, rule: Rule, words: str) -> Iterator[str]:
        yield f"replay_window = {rule.replay_window}"
        if rule.tfc_octets:
            yield f"tfc_padding = {rule.tfc_octets}"
        plain = TunnelOptions()
        if rule.tunnel.df is DfPolicy.CLEAR:
            yield "copy_df = no"
        elif rule.tunnel.df is not plain.df:
            self.leave(rule.place, f"{words}, tunnel.df", "strongSwan copies the bit or clears it")
        if not rule.tunnel.ecn:
            yield "copy_ecn = no"
        if not rule.tunnel.copy_dscp:
            yield "copy_dscp = no"
        if rule.tunnel.ttl != plain.ttl or rule.tunnel.dscp:
            self.leave(rule.place, f"{words}, tunnel", "TTL and DSCP of the outer header are the kernel's own")
        if rule.gateways is not None and rule.gateways.asks is not None:
            yield from ("start_action = start", "close_action = start")
            return
        if pooled(rule):
            yield "start_action = none"
            return
        if rule.secure.inward is Need.REQUIRE and rule.secure.outward is Need.REQUIRE:
            yield f"start_action = {'trap' if rule.initiate else 'none'}"
            return
        why = "strongSwan negotiates as soon as it is loaded, and traffic passes in clear until then"
        self.leave(rule.place, f"{words}, secure = {rule.secure}", why)
        yield f"start_action = {'start' if rule.initiate else 'none'}"

    def _device(self, scope: Scope, words: str, place: Place) -> Lines:
        if scope.profiles:
            self.leave(place, f"{words}, profiles", "strongSwan knows no networks by profile: it always holds")
        devices = [one for one in scope.interfaces if isinstance(one, Device) and not one.name.endswith("*")]
        if len(devices) == len(scope.interfaces) == 1:
            return [f"interface = {devices[0].name}"]
        if scope.interfaces:
            self.leave(place, f"{words}, interfaces", "strongSwan knows one interface by its name: it holds on all")
        return []

    # -- keys

    def _key(self, auth: PskFile, rule: Rule, words: str) -> None:
        here = set() if rule.local_identity is None else {rule.local_identity}
        there = {*hosts(rule)} if rule.remote_identity is None else {rule.remote_identity}
        known = self._secrets.setdefault((auth.file, bool(here or there)), [])
        ends = sorted((*there, *here), key=str)
        known += [one for one in ends if one not in known]
        self._users.append((rule, auth.file, here, there))
        if auth.file not in self._keys:
            self.leave(rule.place, f"{words}, {auth.file}", f'the key is not at hand; "{PLACEHOLDER}" stands for it')

    def _check_keys(self) -> None:
        """Say so where strongSwan would take another key than the rule's."""
        secrets = [Secret(file, 0, tuple(ids), "") for (file, _), ids in self._secrets.items()]
        for rule, file, here, there in self._users:
            found = choose(secrets, here, there)
            if found is not None and found.name != file:
                why = f"strongSwan cannot tell whose key it is, and would take {found.name}"
                self.leave(rule.place, f'rule "{rule.name}", {file}', why, "Say identity.remote.")

    def _secret(self, file: str, ids: list[Identity]) -> Lines:
        text = self._keys.get(file)
        key: str | bytes | None = PLACEHOLDER if text is None else key_of_file(text)
        if key is None:
            key = key_octets(text or "")
        lines = [f"id-{number} = {quoted(identity_word(one))}" for number, one in enumerate(ids, 1)]
        return block(self._name(f"ike-{file.removesuffix('.psk')}"), [*lines, f"secret = {key_word(key)}"])


def _elsewhere(rule: Rule) -> bool:
    return rule.gateways is not None and bool(rule.gateways.others or rule.gateways.send_to)
