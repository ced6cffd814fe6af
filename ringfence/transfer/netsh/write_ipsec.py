# SPDX-License-Identifier: Apache-2.0
"""An IPsec policy as commands of ``netsh ipsec static``.

That context knows no algorithm younger than 3DES, SHA-1 and group 14. A filter action of which nothing is left is left
out with all rules that use it: Windows would else put methods of its own in their place.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ringfence.net.address import AddressRange, format_address
from ringfence.net.flow import TCP, UDP
from ringfence.place import Place
from ringfence.policy.defaults import main_mode_with_classic, with_classic
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.ipfilter import format_filter, mirror
from ringfence.policy.lower import filter_actions, filter_lists
from ringfence.policy.model import Address, HostName, Keyword, Policy
from ringfence.policy.terms import Auth, Certificate, Kerberos, MainMode, PskFile
from ringfence.policy.windows import DYNAMIC, FilterAction, FilterList, IpFilter, IpsecPolicy, PolicyRule, Response
from ringfence.transfer.netsh.filters import KEYWORDS, PROTOCOLS, SERVERS
from ringfence.transfer.netsh.static import CONNECTIONS
from ringfence.transfer.netsh.writing import Script, ipsec_main_mode, ipsec_offer, quote, yes_no

T = TypeVar("T")
Words = list[tuple[str, str]]
STATIC = "ipsec static"
NO_RULE_CURE = 'Offer an old method behind the others (negotiate = [..., "esp 3des-sha1"], legacy = true).'


def write_ipsec(policy: Policy, script: Script) -> None:
    """All that the policy has in the form of the snap-in."""
    Writer(policy, script).write()


@dataclass(slots=True)
class Writer:
    """Writes one policy."""

    policy: Policy
    script: Script
    written: set[str] = field(default_factory=set)
    """Filter lists that the script has."""
    actions: set[str] = field(default_factory=set)

    def write(self) -> None:
        """Every list and action, and the policy with its rules."""
        policies = self.policy.ipsec_policies
        rules = [rule for one in policies for rule in one.rules]
        lists, actions = filter_lists(self.policy), filter_actions(self.policy)
        names = [rule.filter_list for rule in rules]
        for name in dict.fromkeys([one.name for one in self.policy.filter_lists] + names):
            if name in lists:
                self._list(lists[name])
        used = [rule.filter_action for rule in rules if rule.filter_list != DYNAMIC]
        response = {rule.filter_action for rule in rules if rule.filter_list == DYNAMIC}
        for name in dict.fromkeys([one.name for one in self.policy.filter_actions if one.name not in response] + used):
            if name in actions:
                self._action(with_classic(actions[name]) if self._with_classic(name) else actions[name])
        for one in policies:
            self._policy(one)
        if self.policy.ipsec is not None:
            self._assign(self.policy.ipsec)

    def _with_classic(self, action: str) -> bool:
        """Whether a policy that uses the action offers Windows' original methods; of one that nobody uses, any."""
        policies = self.policy.ipsec_policies
        using = [one for one in policies if any(rule.filter_action == action for rule in one.rules)]
        return any(one.legacy for one in using or policies)

    def _list(self, one: FilterList, name: str = "", filters: Iterable[IpFilter] | None = None) -> None:
        name = name or one.name
        lines = [words for item in (one.filters if filters is None else filters) if (words := self._filter(item, one))]
        if not lines:
            return
        self.written.add(name)
        described = [("description", self._text(one.description, one.place, f'filter list "{name}"'))]
        self.script.say(f"{STATIC} add filterlist", [("name", quote(name)), *described])
        for words in lines:
            self.script.say(f"{STATIC} add filter", [("filterlist", quote(name)), *words])

    def _text(self, text: str, place: Place, what: str) -> str:
        return self.script.text(text, place, f"the description of {what}") if text else ""

    def _filter(self, item: IpFilter, one: FilterList) -> Words:
        try:
            return [
                *_end("src", item.source), *_end("dst", item.destination), *_traffic(item),
                ("mirrored", yes_no(item.mirrored)),
                ("description", self._text(item.description, one.place, f'a filter of "{one.name}"')),
            ]  # fmt: skip
        except BadWord as error:
            self.script.leave_out(one.place, f'filter "{format_filter(item)}" of "{one.name}"', error.why, error.cure)
            return []

    def _methods(self, methods: Iterable[T], word: Callable[[T], str], place: Place, what: str) -> list[str]:
        found = []
        for one in methods:
            try:
                found.append(word(one))
            except BadWord as error:
                self.script.leave_out(place, f'"{one}" of {what}', error.why)
        return found

    def _action(self, action: FilterAction) -> None:
        what = f'filter action "{action.name}"'
        words: Words = [
            ("name", quote(action.name)),
            ("description", self._text(action.description, action.place, what)),
        ]
        if action.response is Response.NEGOTIATE:
            methods = self._methods(action.methods, ipsec_offer, action.place, what)
            if not methods:
                self.script.leave_out(action.place, what, "netsh ipsec knows none of its methods", NO_RULE_CURE)
                return
            words += [("qmpfs", self._pfs(action)), ("inpass", yes_no(action.accept_unsecured))]
            words += [("soft", yes_no(action.fallback_to_clear)), ("qmsecmethods", quote(" ".join(methods)))]
        self.actions.add(action.name)
        self.script.say(f"{STATIC} add filteraction", [*words, ("action", action.response.value)])

    def _pfs(self, action: FilterAction) -> str:
        if not isinstance(action.pfs, bool):
            self.script.leave_out(action.place, f'the PFS group of "{action.name}"', "netsh takes that of main mode")
        return yes_no(action.pfs is not False)

    def _policy(self, ipsec: IpsecPolicy) -> None:
        mode = main_mode_with_classic(ipsec.main_mode) if ipsec.legacy else ipsec.main_mode
        if mode.aggressive:
            self.script.leave_out(
                ipsec.place, f'aggressive mode of "{ipsec.name}"', "Windows speaks no aggressive mode"
            )
        own = set(map(str, MainMode().methods))
        if set(map(str, ipsec.main_mode.methods)) == own:  # nobody asked for these
            mode = replace(mode, methods=tuple(one for one in mode.methods if str(one) not in own))
        methods = self._methods(mode.methods, ipsec_main_mode, ipsec.place, "main mode")
        used = [filter_actions(self.policy)[rule.filter_action] for rule in ipsec.rules]
        if not methods and any(one.response is Response.NEGOTIATE for one in used):
            why = "netsh ipsec knows none of them; Windows has its own"
            self.script.leave_out(ipsec.place, "the methods of main mode", why)
        name, minutes = ipsec.title, str(max(mode.lifetime_s // 60, 1))
        self.script.say(f"{STATIC} add policy", [
            ("name", quote(name)), ("description", self._text(ipsec.description, ipsec.place, "the policy")),
            ("mmpfs", yes_no(mode.pfs)), ("qmpermm", str(mode.sessions)), ("mmlifetime", minutes),
            ("activatedefaultrule", "no"), ("pollinginterval", str(ipsec.poll_interval_s // 60)),
            ("mmsecmethods", quote(" ".join(methods)) if methods else ""),
        ])  # fmt: skip
        if mode.lifetime_s % 60:
            self.script.leave_out(ipsec.place, "the seconds of main mode's lifetime", "netsh takes minutes")
        for rule in ipsec.rules:
            if rule.filter_list == DYNAMIC:
                self._default_rule(rule, ipsec)
            else:
                self._rule(rule, ipsec)

    def _assign(self, ipsec: IpsecPolicy) -> None:
        if ipsec.exempt.value != 3:
            self.script.say(
                "ipsec dynamic set config", [("property", "ipsecexempt"), ("value", str(ipsec.exempt.value))]
            )
        self.script.say(f"{STATIC} set policy", [("name", quote(ipsec.title)), ("assign", "yes")])

    def _rule(self, rule: PolicyRule, ipsec: IpsecPolicy) -> None:
        what, action = f'rule "{rule.title}"', filter_actions(self.policy)[rule.filter_action]
        if rule.filter_list not in self.written or rule.filter_action not in self.actions:
            missing = rule.filter_action if rule.filter_list in self.written else rule.filter_list
            self.script.leave_out(rule.place, what, f'"{missing}" is left out, and so is what uses it')
            return
        auth = self._auth(rule, ipsec, what) if action.response is Response.NEGOTIATE or rule.auth else []
        if auth is None:
            return
        words: Words = [("filteraction", quote(rule.filter_action))]
        tail: Words = [
            ("conntype", next(word for word, one in CONNECTIONS.items() if one is rule.connection)),
            ("activate", yes_no(rule.enabled)), ("description", self._text(rule.description, rule.place, what)), *auth,
        ]  # fmt: skip
        for name, filter_list, tunnel in self._halves(rule, what):
            head: Words = [("name", self.script.text(name, rule.place, what)), ("policy", quote(ipsec.title)),
                           ("filterlist", quote(filter_list))]  # fmt: skip
            self.script.say(f"{STATIC} add rule", [*head, *words, ("tunnel", tunnel), *tail])

    def _halves(self, rule: PolicyRule, what: str) -> list[tuple[str, str, str]]:
        """A rule, or both rules of a tunnel, with their names, lists and ends."""
        if not isinstance(rule.tunnel, Gateways):
            return [(rule.name, rule.filter_list, "" if rule.tunnel is None else format_address(rule.tunnel))]
        if rule.tunnel.local is None or rule.tunnel.remote is None:
            self.script.leave_out(rule.place, what, "netsh needs both ends of its tunnel", "Say tunnel.local, too.")
            return []
        found = filter_lists(self.policy)[rule.filter_list]
        out = tuple(replace(one, mirrored=False) for one in found.filters)
        back = tuple(replace(mirror(one), mirrored=False) for one in found.filters)
        halves = []
        for way, filters, end in (("out", out, rule.tunnel.remote), ("in", back, rule.tunnel.local)):
            name = f"{rule.filter_list} ({way})"
            self._list(found, name, filters)
            halves.append((f"{rule.title} ({way})", name, format_address(end)))
        return halves

    def _default_rule(self, rule: PolicyRule, ipsec: IpsecPolicy) -> None:
        action = filter_actions(self.policy)[rule.filter_action]
        action = with_classic(action) if ipsec.legacy else action
        methods = self._methods(action.methods, ipsec_offer, action.place, f'filter action "{action.name}"')
        auth = self._auth(rule, ipsec, "the default response rule")
        if not methods or auth is None:
            why = "netsh ipsec knows none of its methods or ways to authenticate"
            self.script.leave_out(rule.place, "the default response rule", why, NO_RULE_CURE)
            return
        self.script.say(f"{STATIC} set defaultrule", [
            ("policy", quote(ipsec.title)), ("qmpfs", self._pfs(action)), ("activate", yes_no(rule.enabled)),
            ("qmsecmethods", quote(" ".join(methods))), *auth,
        ])  # fmt: skip

    def _auth(self, rule: PolicyRule, ipsec: IpsecPolicy, what: str) -> Words | None:
        """What is said of authentication; None if nothing that is asked for can be said."""
        ways: tuple[Auth, ...] = rule.auth or ipsec.auth
        words: Words = []
        for one in ways:
            match one:
                case Kerberos():
                    words.append(("kerberos", "yes"))
                case PskFile(file):
                    words.append(("psk", self.script.key(file, rule.place or ipsec.place)))
                case Certificate() if one == plain(one):
                    authority = one.authority.replace('"', "\\'")
                    options = f"certmap:{yes_no(one.mapping)} excludecaname:{yes_no(one.exclude_ca_name)}"
                    words.append(("rootca", quote(f"{authority} {options}")))
                case _:
                    self.script.leave_out(rule.place, f"{one} of {what}", "netsh ipsec cannot ask for it")
        if ways and not words:
            self.script.leave_out(rule.place, what, "netsh ipsec knows none of its ways to authenticate")
            return None
        return words


def plain(one: Certificate) -> Certificate:
    """A certificate without what ``netsh ipsec`` has no words for."""
    return Certificate(one.authority, mapping=one.mapping, exclude_ca_name=one.exclude_ca_name)


def _end(which: str, address: Address) -> Words:
    if isinstance(address, HostName):
        return [(f"{which}addr", address.name)]
    if address is Keyword.LOCAL_SUBNET:
        raise BadWord("netsh ipsec has no word for the local subnet", cure="Write the networks themselves.")
    if isinstance(address, Keyword):
        return [(f"{which}addr", next(word for word, one in KEYWORDS.items() if one is address))]
    return _range(which, address)


def _range(which: str, address: AddressRange) -> Words:
    text = str(address)
    if "-" in text:
        return [(f"{which}addr", text)]
    host, _, length = text.partition("/")
    return [(f"{which}addr", host), (f"{which}mask", length)]


def _traffic(item: IpFilter) -> Words:
    traffic = item.traffic
    for one, other in ((item.source, item.destination), (item.destination, item.source)):
        if one in SERVERS and other is not Keyword.ME:
            raise BadWord("netsh takes a kind of servers only together with ME")
    if traffic.protocol is None:
        return []
    ports = traffic.sender_ports, traffic.receiver_ports
    if traffic.protocol not in (TCP, UDP) and any(not one.is_any for one in ports):
        raise BadWord("netsh tells no types of ICMP apart, and knows ports of TCP and UDP only")
    if any(not one.is_any and (one.first != one.last or one.first == 0) for one in ports):
        raise BadWord("netsh takes single ports, and no ranges", cure="Write a filter for each port.")
    name = next((word for word, number in PROTOCOLS.items() if number == traffic.protocol), str(traffic.protocol))
    words: Words = [("protocol", name.upper())]
    words += [] if ports[0].is_any else [("srcport", str(ports[0]))]
    return words + ([] if ports[1].is_any else [("dstport", str(ports[1]))])
