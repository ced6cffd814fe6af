# SPDX-License-Identifier: Apache-2.0
"""Entries of the databases in words, for plans and explanations."""

from collections.abc import Iterator, Sequence

from ringfence.crypto.suites import GROUPS
from ringfence.databases.demand import Grant
from ringfence.databases.packet_filter import PacketList
from ringfence.databases.proposal import IkeProposal, Limits
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Action, Direction, Processing, SpdEntry
from ringfence.net.address import format_address
from ringfence.policy.model import Filter, Rule
from ringfence.policy.units import format_amount, format_duration

ARROWS = {Direction.BOTH: "<->", Direction.OUT: "->", Direction.IN: "<-"}
PROTOCOLS = {"esp": "ESP", "ah": "AH"}


def traffic(entry: SpdEntry) -> str:
    """Between whom, and which protocol: ``10.77.0.1 <-> 10.77.0.0/24, any protocol``."""
    text = str(entry.selector).replace("->", ARROWS[entry.directions], 1)
    if entry.selector.protocol is None:
        return f"{text}, any protocol"
    ends, _, protocol = text.rpartition(" ")
    return f"{ends}, {protocol}"


def packet_list(one: PacketList) -> str:
    """What a packet filter does, as half a sentence."""
    way = "what arrives" if one.direction is Direction.IN else "what leaves"
    where = f" on {', '.join(one.interfaces)}" if one.interfaces else ""
    version = f" by IPv{one.versions[0]}" if len(one.versions) == 1 else ""
    does, other = ("blocks all", "permits") if one.default is Action.DISCARD else ("permits all", "blocks")
    fits = f"{len(one.fits)} kind{'' if len(one.fits) == 1 else 's'} of packet"
    fragments = ", and drops fragments" if one.drop_fragments else ""
    return f"of {way}{where}{version} {does} but {other} {fits}{fragments}"


def treatment(entry: SpdEntry) -> str:
    """What happens to its traffic, as half a sentence."""
    if entry.processing is None:
        unless = f" unless {asked(entry.demand.grants)}" if entry.demand is not None else ""
        return f"blocked{unless}" if entry.action is Action.DISCARD else "permitted as it is"
    only = f"; only {asked(entry.demand.grants)}" if entry.demand is not None else ""
    return f"protected by {methods(entry.processing)}; {strictness(entry.processing)}{only}"


def asked(grants: tuple[Grant, ...]) -> str:
    """What filters ask of SAs: ``encrypted, with *.corp.example``."""
    return " or ".join(dict.fromkeys(map(_grant, grants)))


def _grant(one: Grant) -> str:
    allow, deny = (", ".join(each.text for each in some) for some in (one.admission.allow, one.admission.deny))
    strength = "encrypted" if one.encrypted else "authenticated"
    return (f"{strength}, inward at first only authenticated" if one.begins_readable else strength) + (
        (f", with {allow}" if allow else "") + (f", without {deny}" if deny else "")
    )


def methods(processing: Processing) -> str:
    """``ESP aes256-gcm (or aes128-gcm, aes256-sha256)``, and the tunnel if there is one."""
    words = []
    for number, method in enumerate(map(str, processing.methods)):
        protocol, _, rest = method.partition(" ")
        same = number > 0 and "+" not in method and method.startswith(f"{str(processing.methods[0]).split()[0]} ")
        words.append(rest if same else f"{PROTOCOLS[protocol]} {rest}".replace("+ ah", "with AH"))
    others = f" (or {', '.join(words[1:])})" if len(words) > 1 else ""
    tunnel = ""
    if processing.mode is Mode.TUNNEL:
        end = format_address(processing.tunnel_remote) if processing.tunnel_remote else "whoever authenticates"
        tunnel = f", in a tunnel to {end}"
    return f"{words[0]}{others}{tunnel}"


def keying(order: Sequence[int]) -> str:
    """Versions of IKE in the order in which they are tried: ``IKEv2, else IKEv1``."""
    found = [f"IKEv{version}" for version in order]
    return ", else ".join(found) if len(found) > 1 else f"{found[0]} alone"


def main_mode(proposals: Sequence[IkeProposal]) -> str:
    """``aes256-sha384-ecp384 (or aes128-sha256-ecp256)``."""
    first, *others = map(str, proposals)
    return f"{first} (or {', '.join(others)})" if others else first


def elsewhere(item: Rule | Filter) -> str:
    """What holds in other networks: ``rule "colleagues" policy.toml:1 (profiles domain)``."""
    kind = "rule" if isinstance(item, Rule) else "filter"
    return f'{kind} "{item.name}" {item.place.told}'.rstrip() + f" ({item.scope})"


def details(old: Processing | None, new: Processing | None) -> Iterator[str]:
    """What differs of how traffic is protected beside methods and strictness: ``PFS ecp256 (until now none)``."""
    if old is not None and new is not None:
        for (name, was), (_, now) in zip(_details(old), _details(new), strict=True):
            if was != now:
                yield f"{name} {now} (until now {was})"


def _details(one: Processing) -> Iterator[tuple[str, str]]:
    yield "PFS", " + ".join(GROUPS[group].word for group in one.exchanges) or "none"
    yield "new keys", " and ".join(dict.fromkeys(_limits(method.limits) for method in one.methods))
    yield "idle time", "without end" if one.idle_s is None else format_duration(one.idle_s)
    yield "replay window", str(one.replay_window)
    yield "NAT traversal", "yes" if one.udp else "no"
    yield "padding", f"to {one.tfc_octets} octets" if one.tfc_octets else "none"
    yield "our end of the tunnel", "any" if one.tunnel_local is None else format_address(one.tunnel_local)


def _limits(limits: Limits) -> str:
    parts = [f"after {format_duration(limits.seconds)}"] if limits.seconds else []
    parts += [f"after {format_amount(limits.octets)}"] if limits.octets else []
    parts += [f"after {limits.packets} packets"] if limits.packets else []
    return " or ".join(parts) or "never"


def strictness(processing: Processing) -> str:
    """What happens to traffic that cannot be protected."""
    if processing.respond_only:
        return "in clear until the other side asks for protection"
    match processing.clear_out, processing.clear_in:
        case False, False:
            return "in clear nothing passes"
        case True, True:
            return "in clear where the other side cannot"
        case True, False:
            return "in clear outward where the other side cannot, never inward"
        case _:
            return "never in clear outward, clear is accepted inward"
