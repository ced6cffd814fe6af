# SPDX-License-Identifier: Apache-2.0
"""Connection security rules, main mode rules, filters and global settings as commands of ``netsh advfirewall``.

Windows' rules lie between two endpoints, whichever this computer is at, so ``me`` becomes any. Every term is written
out, since Windows' own defaults are other ones. A rule that netsh cannot say as it is meant is left out whole.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import IkeProposal
from ringfence.net.address import AddressRange, PortRange, format_address
from ringfence.net.flow import ICMP, ICMPV6, TCP, UDP
from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_group
from ringfence.policy.model import (
    ANY,
    ME,
    Address,
    Filter,
    Keyword,
    Kind,
    MainModeRule,
    Need,
    Policy,
    Reading,
    Rule,
    Secure,
    Verb,
)
from ringfence.policy.networks import NO_PROFILES
from ringfence.policy.rules import WINDOWS_SECURITY
from ringfence.policy.scope import LinkKind, Scope
from ringfence.policy.settle import Settler
from ringfence.policy.terms import Access, GlobalSettings, MainMode, PskEncoding, Security
from ringfence.policy.traffic import Traffic
from ringfence.transfer.consec import KEYWORDS, check_assigned, descriptor, is_sid
from ringfence.transfer.netsh.consec import ACTIONS, LINKS
from ringfence.transfer.netsh.globals import ACCESS, CRL, EXEMPT, NAT
from ringfence.transfer.netsh.methods import GROUPS
from ringfence.transfer.netsh.write_auth import first_words, second_words
from ringfence.transfer.netsh.writing import Script, changes_limits, firewall_main_mode, firewall_offer, quote, yes_no

T = TypeVar("T")
Placed = TypeVar("Placed", Rule, MainModeRule, Filter)
Words = list[tuple[str, str]]
CONSEC, MAINMODE, FIREWALL = (f"advfirewall {one} add rule" for one in ("consec", "mainmode", "firewall"))
GLOBAL = "advfirewall set global"
SID_CURE = "Name accounts by their SIDs."
PROTOCOLS = {TCP: "tcp", UDP: "udp", ICMP: "icmpv4", ICMPV6: "icmpv6"}


def write_rules(policy: Policy, script: Script) -> None:
    """All that the policy has beside its IPsec policy."""
    if policy.rules or policy.main_modes or policy.settings != GlobalSettings():
        write_settings(policy.settings, Settler(policy).default.main_mode, script)
    settler = Settler(policy)
    for rule in policy.rules:
        _whole(rule, f'rule "{rule.name}"', script, lambda one: _consec(one, settler, script))
    for main_mode in policy.main_modes:
        _whole(main_mode, f'main mode rule "{main_mode.name}"', script, lambda one: _main_mode(one, settler, script))
    for one in policy.packet_filters:
        script.leave_out(one.place, f'packet filter "{one.name}"', "it belongs to Routing and Remote Access, not here")
    if policy.profiles != NO_PROFILES:
        script.leave_out(policy.profiles.place, "[profile]", "Windows finds out itself which network is which")
    for item in policy.filters:
        _whole(item, f'filter "{item.name}"', script, lambda one: _filter(one, script))


def _whole(item: Placed, what: str, script: Script, write: Callable[[Placed], None]) -> None:
    """Write one rule, or leave it out."""
    try:
        write(item)
    except BadWord as error:
        script.leave_out(item.place, what, error.why, error.cure)


def _consec(rule: Rule, settler: Settler, script: Script) -> None:
    action = next((word for word, one in ACTIONS.items() if one == rule.secure), None)
    clear_out = action == "requireinclearout" and rule.gateways is None
    if action is None or clear_out:
        raise BadWord(f"netsh has no rule that is {rule.secure}")
    _sayable(rule)
    if rule.main_mode is not None and not rule.secure.exempt:
        why = "netsh has main mode in rules of its own and in the global settings"
        script.leave_out(rule.place, f'main-mode of "{rule.name}"', why, "Write it as a [[main-mode]].")
    settled = settler.rule(rule)
    terms = [] if rule.secure.exempt else _terms(settled, script)
    for number, words in enumerate(_about(rule), 1):
        name = rule.name if number == 1 else f"{rule.name} ({number})"
        script.say(CONSEC, [
            ("name", script.text(name, rule.place, f'the name of "{rule.name}"')), *words, ("action", action),
            *_head(rule, script), *_tunnel(rule), *scope_words(rule.scope), *terms,
        ])  # fmt: skip


def _head(item: Rule | MainModeRule | Filter, script: Script) -> Words:
    text = script.text(item.description, item.place, f'the description of "{item.name}"') if item.description else ""
    return [("description", text), ("enable", "" if item.enabled else "no")]


def _sayable(rule: Rule) -> None:
    if rule.name.lower() == "all":
        raise BadWord('netsh takes "all" for every rule')
    check_assigned(rule)
    if rule.allow or rule.deny:
        raise BadWord("netsh has no words for whom a rule lets in", cure="PowerShell has: --format powershell")
    if rule.keying:
        raise BadWord("netsh has no words for the protocol that negotiates", cure="PowerShell has: --format powershell")
    if rule.local_identity is not None or rule.remote_identity is not None:
        raise BadWord("netsh has no words for identities")


def _about(rule: Rule) -> Iterator[Words]:
    """Endpoints, protocol and ports; several rules where its traffic needs them. Raises BadWord."""
    ends = ends_words(rule, ("endpoint1", "endpoint2"))
    if rule.gateways is not None and any(one.protocol is not None for one in rule.traffic):
        raise BadWord("Windows' tunnels are for all protocols")
    for traffic in rule.traffic:
        for first, second in _pairs(traffic, both_any=_any_to_any(rule)):
            ports = (("port1", first), ("port2", second))
            if not rule.secure.exempt and any(not one.is_any and one.first != one.last for _, one in ports):
                raise BadWord("Windows takes ranges of ports in exemptions only")
            protocol = [] if traffic.protocol is None else [("protocol", _protocol(traffic.protocol))]
            yield [*ends, *protocol, *((name, str(one)) for name, one in ports if not one.is_any)]


def _any_to_any(rule: Rule) -> bool:
    return rule.remote == ANY and rule.local in (ANY, ME)


def _protocol(number: int) -> str:
    return PROTOCOLS.get(number, str(number))


def _pairs(traffic: Traffic, *, both_any: bool) -> list[tuple[PortRange, PortRange]]:
    pairs = [(traffic.sender_ports, traffic.receiver_ports)]
    if all(one.is_any for one in pairs[0]):
        return pairs
    if traffic.protocol not in (TCP, UDP):
        raise BadWord("Windows' rules tell no types of ICMP apart, and know ports of TCP and UDP only")
    return list(traffic.outward()) if traffic.either and not both_any else pairs


def ends_words(item: Rule | MainModeRule | Filter, names: tuple[str, str]) -> Words:
    """Both endpoints; raises BadWord."""
    words: Words = []
    for number, (name, end) in enumerate(zip(names, (item.local, item.remote), strict=True)):
        if Keyword.ME in end and (len(end) > 1 or number):
            raise BadWord("Windows has no word for this computer's own addresses")
        words.append((name, ",".join(map(_address, end))))
    return words


def _address(address: Address) -> str:
    if isinstance(address, AddressRange):
        return str(address)
    if isinstance(address, Keyword):
        return "any" if address is Keyword.ME else next(word for word, one in KEYWORDS.items() if one is address)
    raise BadWord(f"Windows takes addresses, and {address} is a name", cure="Write the addresses themselves.")


def _tunnel(rule: Rule) -> Words:
    if rule.gateways is None:
        return []
    ends = ["any" if one is None else format_address(one) for one in (rule.gateways.local, rule.gateways.remote)]
    return [
        ("mode", "tunnel"), ("localtunnelendpoint", ends[0]), ("remotetunnelendpoint", ends[1]),
        ("exemptipsecprotectedconnections", yes_no(rule.exempt_protected)), ("applyauthz", yes_no(rule.authorize)),
    ]  # fmt: skip


def scope_words(scope: Scope) -> Words:
    """In which networks, on which interfaces; raises BadWord."""
    if any(not isinstance(one, LinkKind) for one in scope.interfaces):
        raise BadWord("Windows calls interfaces by other names", cure='Say kinds of them, such as "lan".')
    links = ",".join(word for word, one in LINKS.items() if one in scope.interfaces)
    return [("profile", ",".join(one.value for one in scope.profiles)), ("interfacetype", links)]


def _terms(rule: Rule, script: Script) -> Words:
    what = f'rule "{rule.name}"'
    words = first_words(rule.auth, rule.place, what, script) + second_words(rule.second_auth, rule.place, what, script)
    methods = _methods(rule.protect, firewall_offer, rule.place, what, script)
    if any(changes_limits(method.limits) for method in rule.protect):
        why = "netsh takes whole minutes from 5, data from 20 MB, and no numbers of packets"
        script.leave_out(rule.place, f"the exact lifetimes of {what}", why)
    return [*words, ("qmsecmethods", ",".join(methods)), ("qmpfs", _pfs(rule.pfs))]


def _methods(methods: Iterable[T], word: Callable[[T], str], place: Place, what: str, script: Script) -> list[str]:
    found = []
    for one in methods:
        try:
            found.append(word(one))
        except BadWord as error:
            script.leave_out(place, f'"{one}" of {what}', error.why)
    if not found:
        raise BadWord("netsh knows none of its methods")
    return found


def _pfs(pfs: DhGroup | bool | None) -> str:
    if isinstance(pfs, bool) or pfs is None:
        return "mainmode" if pfs else "none"
    word = next((word for word, ours in GROUPS.items() if parse_group(ours) is pfs), None)
    if word is None:
        raise BadWord("netsh does not know the group of its second key exchange")
    return word


def _main_mode(rule: MainModeRule, settler: Settler, script: Script) -> None:
    if rule.scope.interfaces:
        raise BadWord("a main mode rule of Windows is for all kinds of interfaces", cure="Leave interfaces out.")
    auth, mode = settler.main_mode(rule)
    words = first_words(auth, rule.place, f'main mode rule "{rule.name}"', script) if auth else []
    name = script.text(rule.name, rule.place, f'the name of "{rule.name}"')
    script.say(MAINMODE, [
        ("name", name), *ends_words(rule, ("endpoint1", "endpoint2")), *_head(rule, script),
        *scope_words(rule.scope)[:1], *_mode(mode, rule.place, f'main mode rule "{rule.name}"', script), *words,
    ])  # fmt: skip


def _mode(mode: MainMode, place: Place, what: str, script: Script) -> Words:
    methods = _methods(mode.methods, firewall_main_mode, place, what, script)
    if mode.xauth is not None:
        script.leave_out(place, f"{what}, xauth", "Windows lets users in by AuthIP, not by XAUTH")
    if mode.aggressive:
        script.leave_out(place, f"{what}, aggressive", "Windows speaks no aggressive mode")
    if mode.reauthenticate_s is not None:
        script.leave_out(place, f"{what}, reauthenticate", "Windows authenticates anew with each main mode alone")
    return [
        ("mmsecmethods", ",".join(methods)),
        ("mmkeylifetime", f"{max(mode.lifetime_s // 60, 1)}min,{mode.sessions}sess"),
        ("mmforcedh", "yes" if mode.force_dh else ""),
    ]


def _filter(item: Filter, script: Script) -> None:
    if item.verb is Verb.PERMIT and item.secure is None:
        _exemption(item, script)
        return
    ways = {Reading.IN: ("in",), Reading.OUT: ("out",), Reading.BOTH: ("in", "out")}[item.direction]
    does: Words = [("action", "block")] if item.secure is None else _secured(item)
    ways = ("in", "out") if item.mirrored and item.secure is None else ways
    for traffic in item.traffic:
        for way in ways:
            ends = ends_words(item, ("localip", "remoteip"))
            turned = (way == "in") != (item.direction is Reading.IN)
            words = _filter_traffic(traffic, inward=way == "in", turned=turned and item.direction is not Reading.BOTH)
            name = script.text(item.name, item.place, f'the name of "{item.name}"')
            head: Words = [("name", name), ("dir", way), *does]
            script.say(FIREWALL, [*head, *ends, *words, *_head(item, script), *scope_words(item.scope)])


def _secured(item: Filter) -> Words:
    """What a rule says that allows what is secure; its answers are allowed with it."""
    if not item.mirrored and not item.override_block:
        raise BadWord(
            "Windows' firewall lets answers through with what they answer", cure="Leave out mirrored = false."
        )
    word = next(word for word, one in WINDOWS_SECURITY.items() if one is item.secure)
    if item.secure is Security.NEGOTIATED and item.direction is not Reading.IN:
        raise BadWord("Windows negotiates encryption for what comes in only", cure='Say direction = "in".')
    if item.override_block and item.direction is not Reading.OUT and not item.allow.computers:
        raise BadWord("Windows overrides blocks inward for computers only", cure="Say allow.")
    words: Words = [("action", "bypass" if item.override_block else "allow"), ("security", word)]
    for tag, allowed, denied in (
        ("rmtcomputergrp", item.allow.computers, item.deny.computers),
        ("rmtusrgrp", item.allow.users, item.deny.users),
    ):
        for name in (*allowed, *denied):
            if not is_sid(name):
                raise BadWord(f"netsh takes accounts by their SIDs, and not as {name}", cure=SID_CURE)
        if allowed or denied:
            words.append((tag, quote(descriptor(allowed, denied))))
    return words


def _filter_traffic(traffic: Traffic, *, inward: bool, turned: bool) -> Words:
    """``turned``: the answers to it are meant."""
    if traffic.protocol is None:
        return []
    if traffic.protocol in (ICMP, ICMPV6):
        kind, code = divmod(traffic.receiver_ports.first, 256)
        one = traffic.receiver_ports.first == traffic.receiver_ports.last
        tail = "" if traffic.receiver_ports.is_any else f":{kind},{code if one else 'any'}"
        return [("protocol", f"{PROTOCOLS[traffic.protocol]}{tail}")]
    if traffic.either:
        raise BadWord("netsh has no port at either end", cure='Say "to" or "from".')
    sender, receiver = traffic.sender_ports, traffic.receiver_ports
    if turned:
        sender, receiver = receiver, sender
    local, remote = (receiver, sender) if inward else (sender, receiver)
    words: Words = [("protocol", _protocol(traffic.protocol))]
    return words + [(name, str(one)) for name, one in (("localport", local), ("remoteport", remote)) if not one.is_any]


def _exemption(item: Filter, script: Script) -> None:
    """A filter that permits, as the rule of connection security that does the same."""
    if not item.mirrored or item.direction is not Reading.OUT:
        raise BadWord("Windows' exemptions are for both directions")
    rule = Rule(item.name, Kind.EXEMPTION, item.local, item.remote, item.either_end, item.traffic,
                Secure(Need.NONE, Need.NONE), scope=item.scope, enabled=item.enabled, description=item.description,
                place=item.place)  # fmt: skip
    for number, words in enumerate(_about(rule), 1):
        name = rule.name if number == 1 else f"{rule.name} ({number})"
        head: Words = [("name", script.text(name, item.place, f'the name of "{item.name}"')), *words]
        tail = [*_head(item, script), *scope_words(item.scope)]
        script.say(CONSEC, [*head, ("action", "noauthentication"), *tail])


def write_settings(settings: GlobalSettings, mode: MainMode, script: Script) -> None:
    """Global settings; those of main mode in any case, since Windows' default ones are weak."""
    default = GlobalSettings()
    exempt = ",".join(word for word, one in EXEMPT.items() if one in settings.exempt) or "none"
    said = [
        ("strongcrlcheck", next(word for word, one in CRL.items() if one is settings.crl_check),
         settings.crl_check is default.crl_check),
        ("saidletimemin", str(settings.idle_s // 60), settings.idle_s == default.idle_s),
        ("defaultexemptions", exempt, settings.exempt == default.exempt),
        ("ipsecthroughnat", next(word for word, one in NAT.items() if one is settings.through_nat), False),
        *((name, *_group(settings, *ACCESS[name], script)) for name in ACCESS),
    ]  # fmt: skip
    for name, value, as_default in said:
        if not as_default:
            script.lines.append(f"{GLOBAL} ipsec {name} {value}")
    _main_mode_settings(settings, mode, script)
    for what, differs in (
        ("psk-encoding", settings.psk_encoding is not PskEncoding.UTF8), ("local-rules", not settings.local_rules),
        ("fragmentation", not settings.fragmentation),
        ("dead-peer", settings.dead_peer != default.dead_peer),
    ):  # fmt: skip
        if differs:
            script.leave_out(settings.place, f"[global] {what}", "netsh has no such setting")


def _main_mode_settings(settings: GlobalSettings, mode: MainMode, script: Script) -> None:
    if settings.main_mode is None and not settings.main_mode_crypto:
        # Ringfence's own choice: what netsh does not know of it, nobody asked for.
        mode = replace(mode, methods=tuple(filter(_known, mode.methods)))
    try:
        words = _mode(mode, settings.place, "main mode", script)
    except BadWord as error:
        script.leave_out(settings.place, "[global] main-mode", error.why)
        return
    script.lines += [f"{GLOBAL} mainmode {name} {value}" for name, value in words if value]


def _known(method: IkeProposal) -> bool:
    try:
        return bool(firewall_main_mode(method))
    except BadWord:
        return False


def _group(settings: GlobalSettings, where: str, who: str, script: Script) -> tuple[str, bool]:
    """A list of accounts, and whether it says nothing."""
    tunnel = where == "tunnel"
    allow, deny = (settings.tunnel_allow, settings.tunnel_deny) if tunnel else (settings.transport_allow,
                                                                               settings.transport_deny)  # fmt: skip

    def names(one: Access) -> tuple[str, ...]:
        return one.computers if who == "computers" else one.users

    strangers = [name for name in (*names(allow), *names(deny)) if not is_sid(name)]
    if strangers:
        why = f"netsh takes accounts by their SIDs, and not as {strangers[0]}"
        script.leave_out(settings.place, f"[global] {where} {who}", why, SID_CURE)
        return "", True
    text = descriptor(names(allow), names(deny))
    return quote(text), not text
