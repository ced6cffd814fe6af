# SPDX-License-Identifier: Apache-2.0
"""Everything worth a second look in a policy before it is applied: what ``validate`` finds, and more.

More are questions about the whole (``shadows``), and about what the computer and its administrator cannot do without:
IKE, name servers, the domain controllers, the connection over which the policy is being written.
"""

from collections.abc import Iterable, Iterator, Sequence

from ringfence.crypto.suites import READABLE
from ringfence.databases.proposal import SecurityMethod
from ringfence.databases.spd import Action, Direction, Origin, SpdEntry
from ringfence.databases.spd_index import SelectorIndex
from ringfence.net.address import format_address
from ringfence.net.conversation import Conversation
from ringfence.net.flow import TCP, UDP, FlowKey
from ringfence.policy import masquerade, words
from ringfence.policy.aggressive import aggressive_findings
from ringfence.policy.bootlint import boot_findings
from ringfence.policy.compile import BUILT_IN, Compiled
from ringfence.policy.errors import Finding, Severity
from ringfence.policy.filterlint import packet_filter_findings
from ringfence.policy.host import HostFacts
from ringfence.policy.lockout import ended
from ringfence.policy.lower import statements
from ringfence.policy.model import Filter, Policy, Rule, Verb
from ringfence.policy.poollint import pool_findings
from ringfence.policy.securelint import secure_filter_findings
from ringfence.policy.shadows import shadows
from ringfence.policy.validate import validate, warning
from ringfence.policy.whatif import Fate, outcome

CLIENT_PORT = 50_000
IKE_PORT = 500
DNS = (("DNS", UDP, 53), ("DNS", TCP, 53))
DOMAIN = (("Kerberos", UDP, 88), ("Kerberos", TCP, 88), ("LDAP", UDP, 389), ("LDAP", TCP, 389), *DNS)
"""What a computer of a domain asks its controller before anybody is logged on."""

Port = tuple[str, int, int]


def lint(
    policy: Policy,
    compiled: Compiled,
    host: HostFacts,
    *,
    sessions: Iterable[FlowKey] = (),
    controllers: Sequence[bytes] = (),
) -> tuple[Finding, ...]:
    """Warnings about ``policy`` on ``host``.

    ``sessions`` are connections that must stay, from this computer outward; ``controllers`` those of its domain.
    """
    found = [*validate(policy, compiled), *shadows(policy, compiled)]
    for item in statements(policy):
        if isinstance(item, Rule) and item.enabled:
            found += _readable(item)
            found += aggressive_findings(item)
    found += secure_filter_findings(policy, compiled)
    found += compiled.undecisive
    found += _one_way(policy, compiled)
    found += _without_ike(policy, compiled, host)
    found += packet_filter_findings(compiled, host)
    found += boot_findings(policy)
    found += pool_findings(policy)
    found += masquerade.lint_findings(compiled.spd, host, policy.settings)
    for name in policy.host_names[:1]:
        why = f'to know what "{name}" stands for'
        found += _needed(policy, compiled, host, DNS, host.dns_servers, f"the DNS server {{}}, needed {why}")
    who = "the domain controller {}, needed before anybody can log on, or authenticate by Kerberos"
    found += _needed(policy, compiled, host, DOMAIN, controllers, who)
    found += _lockout(policy, compiled, sessions)
    return tuple(dict.fromkeys(found))


def _readable(rule: Rule) -> Iterator[Finding]:
    hidden = [one for one in rule.protect if _encrypts(one)]
    readable = [one for one in rule.protect if not _encrypts(one)]
    if hidden and readable and not rule.secure.exempt:
        yield warning(rule,
            f"encrypts, but allows {', '.join(map(str, readable))}, too, which does not: the other side may choose it",
            setting="protect", cure="Leave out one or the other.",
        )  # fmt: skip


def _encrypts(method: SecurityMethod) -> bool:
    return any(one.cipher is not None and one.cipher.algorithm not in READABLE for one in method.transforms)


def _one_way(policy: Policy, compiled: Compiled) -> Iterator[Finding]:
    """Filters that permit one direction, while something else stops the answers."""
    left = {
        item.name: item
        for item in statements(policy)
        if isinstance(item, Filter) and not item.mirrored and item.verb is Verb.PERMIT and item.secure is None
    }
    if not left:
        return
    entries = compiled.spd.entries
    ways = {
        way: SelectorIndex((number, one.selector) for number, one in enumerate(entries) if way in one.directions)
        for way in (Direction.OUT, Direction.IN)
    }
    for entry in entries:
        item = left.get(entry.origin.rule)
        back = ~entry.directions & Direction.BOTH
        number = ways[back].covering(entry.selector) if item is not None and back in ways else None
        if item is None or number is None or not _stops(entries[number], back):
            continue
        del left[item.name]
        does = "blocked" if entries[number].action is Action.DISCARD else "dropped unless they are protected"
        yield warning(
            item,
            f"permits {words.traffic(entry)} in one direction only, and answers are {does} by {entries[number].origin}",
            setting="mirrored", cure="Leave out mirrored = false, and answers are permitted, too.",
        )  # fmt: skip


def _stops(entry: SpdEntry, direction: Direction) -> bool:
    """Whether nothing passes it in clear."""
    if entry.processing is None:
        return entry.action is Action.DISCARD
    clear = entry.processing.clear_in if direction is Direction.IN else entry.processing.clear_out
    return not (clear or entry.processing.respond_only)


def _without_ike(policy: Policy, compiled: Compiled, host: HostFacts) -> Iterator[Finding]:
    """Filters that block the IKE that a rule needs."""
    told: dict[tuple[Origin, str], SpdEntry] = {}
    for entry in compiled.spd:
        if entry.processing is None:
            continue
        peer = entry.processing.tunnel_remote or entry.selector.destination.first
        own = [one for one in host.own if len(one) == len(peer)]
        for address in own[:1]:
            stops = compiled.spd.outbound(FlowKey(address, peer, UDP, IKE_PORT, IKE_PORT))
            if stops is not None and stops.action is Action.DISCARD:
                told.setdefault((stops.origin, entry.origin.rule), stops)
    for origin, rule in told:
        yield _at(policy, origin, f'blocks IKE (udp 500), without which "{rule}" can protect nothing',
                  "Let the filter be about less: IKE goes in clear by itself where no filter names it.")  # fmt: skip


def _needed(
    policy: Policy, compiled: Compiled, host: HostFacts, ports: Sequence[Port], servers: Iterable[bytes], who: str
) -> Iterator[Finding]:
    """Rules that stop what has to work before anything can be negotiated."""
    for server in servers:
        own = [one for one in host.own if len(one) == len(server) and one != server]
        stopped: dict[Origin, dict[str, Fate]] = {}
        for address in own[:1]:
            for name, protocol, port in ports:
                asks = FlowKey(address, server, protocol, CLIENT_PORT, port)
                found = outcome(compiled, Conversation(asks), host.own)
                if found.fate in (Fate.REQUIRE, Fate.BLOCK) and found.origin is not None:
                    stopped.setdefault(found.origin, {})[name] = found.fate
        for origin, names in stopped.items():
            does = "blocks" if Fate.BLOCK in names.values() else "requires security for"
            permit = ", ".join(f'"{"tcp" if protocol == TCP else "udp"} to {port}"' for _, protocol, port in ports)
            address_text = format_address(server)
            yield _at(policy, origin, f"{does} {', '.join(names)} with {who.format(address_text)}",
                      f'[[filter]]  permit = [{permit}]  with = "{address_text}"')  # fmt: skip


def _lockout(policy: Policy, compiled: Compiled, sessions: Iterable[FlowKey]) -> Iterator[Finding]:
    for one in ended(compiled, sessions, lambda _: False):
        peer = format_address(one.session.destination)
        blocks = one.blocked
        what = "ends your own session" if blocks else "ends your own session unless IPsec works with its other end"
        yield _at(policy, one.origin, f"{what}: a connection with {peer}, from which this is being asked",
                  "Exempt it, or try the policy on probation: ringfence apply POLICY --confirm-within 60s")  # fmt: skip


def _at(policy: Policy, origin: Origin, what: str, cure: str) -> Finding:
    kind = "filter" if any(item.name == origin.rule for item in policy.filters) else "rule"
    kind = "packet filter" if any(item.name == origin.rule for item in policy.packet_filters) else kind
    subject = f'{kind} "{origin.rule}"'
    if origin.rule.startswith(BUILT_IN):
        subject = origin.rule
    return Finding(f"{subject} {what}.", origin.place, subject, cure=cure, severity=Severity.WARNING)
