# SPDX-License-Identifier: Apache-2.0
"""What ``netsh advfirewall consec`` and ``mainmode`` say of one rule, as a connection security rule or main mode rule.

What would change whom a rule is for and cannot be said here leaves the whole rule out: one that is about more than was
meant is worse than none.
"""

from dataclasses import replace

from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.net.address import parse_address as parse_host
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.methods import parse_group, weak
from ringfence.policy.model import ANY, ME, Address, Kind, MainModeRule, Need, Rule, Secure
from ringfence.policy.scope import LinkKind, Profile, Scope
from ringfence.policy.terms import MAIN_MODE_LIFETIME_S, MainMode, PskFile
from ringfence.transfer.consec import (
    Ends,
    ends_of,
    kind_of,
    parse_addresses,
    parse_ports,
    parse_protocol,
    traffic_of,
)
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.authentication import first_auth, second_auth
from ringfence.transfer.netsh.methods import GROUPS, LONGEST_S, firewall_main_modes, firewall_offers
from ringfence.transfer.netsh.session import WEAK_CURE, Session

Said = dict[str, str]

ACTIONS = {
    "requireinrequestout": Secure(Need.REQUIRE, Need.REQUEST),
    "requestinrequestout": Secure(Need.REQUEST, Need.REQUEST),
    "requireinrequireout": Secure(Need.REQUIRE, Need.REQUIRE),
    "requireinclearout": Secure(Need.REQUIRE, Need.NONE),
    "noauthentication": Secure(Need.NONE, Need.NONE),
}
LINKS = {"lan": LinkKind.LAN, "wireless": LinkKind.WIRELESS, "ras": LinkKind.REMOTE_ACCESS}
PROXY_WHY = "a proxy for Kerberos is not known here"


def read_rule(session: Session, said: Said) -> Rule:
    """A connection security rule; raises Refused or BadWord."""
    action = said.get("action", "").lower()
    if action not in ACTIONS:
        raise Refused(
            f'action is "{action}", but has to be one of {", ".join(ACTIONS)}' if action else "it says no action"
        )
    rule = Rule(
        said.get("name", ""), Kind.ISOLATION, secure=ACTIONS[action], scope=read_scope(said),
        enabled=is_on(said, "enable", default=True), description=said.get("description", ""),
    )  # fmt: skip
    tunnel = said.get("mode", "transport").lower() == "tunnel"
    if action == "requireinclearout" and not tunnel:
        raise Refused("clear out is for tunnels only, and netsh refuses it")
    if tunnel and rule.secure.exempt:
        session.note("a tunnel that protects nothing is an exemption here, whatever it says of its ends")
        tunnel = False
    rule = _tunnel(session, rule, said) if tunnel else _transport(rule, said)
    if not rule.secure.exempt:
        rule = _quick_mode(session, _authenticated(session, rule, said), said)
    return replace(rule, kind=kind_of(rule))


def is_on(said: Said, tag: str, *, default: bool = False) -> bool:
    """Whether it says yes."""
    return said[tag].lower() in ("yes", "y", "enable", "on") if tag in said else default


def read_scope(said: Said) -> Scope:
    """In which networks and on which interfaces; raises Refused."""
    profiles = words_of(said, "profile")
    links = words_of(said, "interfacetype")
    for word in profiles:
        if word not in ("any", *(one.value for one in Profile)):
            raise Refused(f'profile is "{word}", and there is no such profile')
    for word in links:
        if word not in ("any", *LINKS):
            raise Refused(f'interfacetype is "{word}", and there is no such kind of interface')
    chosen = () if "any" in profiles else tuple(one for one in Profile if one.value in profiles)
    kinds = () if "any" in links else tuple(one for one in LinkKind if one in [LINKS[word] for word in links])
    return Scope(() if len(chosen) == len(Profile) else chosen, () if len(kinds) == len(LinkKind) else kinds)


def words_of(said: Said, tag: str) -> list[str]:
    """A list with commas."""
    return [word.strip().lower() for word in said.get(tag, "").split(",") if word.strip()]


def endpoint(said: Said, tag: str) -> tuple[Address, ...]:
    """An endpoint; raises BadWord."""
    return parse_addresses(said.get(tag, "any").split(","))


def _transport(rule: Rule, said: Said) -> Rule:
    ends = ends_of(endpoint(said, "endpoint1"), endpoint(said, "endpoint2"))
    ports = [parse_ports(said.get(tag, "any").split(",")) for tag in ("port1", "port2")]
    traffic = traffic_of(parse_protocol(said.get("protocol", "any")), *ports[:2], both_any=ends == Ends(ME, ANY))
    return replace(rule, local=ends.local, remote=ends.remote, either_end=ends.either_end, traffic=traffic)


def _tunnel(session: Session, rule: Rule, said: Said) -> Rule:
    local, remote = (_gateway(said, f"{which}tunnelendpoint") for which in ("local", "remote"))
    if any(said.get(tag, "any").lower() not in ("any", "0") for tag in ("port1", "port2", "protocol")):
        raise Refused("a tunnel says no protocol and no ports, and netsh refuses it")
    if is_on(said, "exemptipsecprotectedconnections"):
        session.note("connections that ESP protects already are exempted from the tunnel, as on Windows")
    return replace(
        rule,
        local=endpoint(said, "endpoint1"),
        remote=endpoint(said, "endpoint2"),
        gateways=Gateways(remote, local),
        exempt_protected=is_on(said, "exemptipsecprotectedconnections"),
        authorize=is_on(said, "applyauthz"),
    )


def _gateway(said: Said, tag: str) -> bytes | None:
    text = said.get(tag, "any").strip().lower()
    if text == "any":
        return None
    if "," in text:
        raise Refused(f"{tag} names several addresses, and a tunnel has one here", "Make a rule for each of them.")
    try:
        return parse_host(text)
    except ValueError as error:
        raise Refused(f'{tag} is "{text}", which is no address') from error


def _authenticated(session: Session, rule: Rule, said: Said) -> Rule:
    for tag in ("auth1kerbproxyfqdn", "auth2kerbproxyfqdn"):
        if said.get(tag):
            session.leave_out(PROXY_WHY)
    first, second = first_auth(session, said, rule.name), second_auth(said)
    if not first and second:
        raise Refused("it names a second authentication and no first")
    if second and any(isinstance(one, PskFile) for one in first):
        session.leave_out("a preshared key and a second authentication cannot be together, so there is no second")
        second = ()
    session.kerberos |= not first
    return replace(rule, auth=first, second_auth=second)


def _quick_mode(session: Session, rule: Rule, said: Said) -> Rule:
    pfs = said.get("qmpfs", "").lower()
    if pfs and pfs not in ("none", "mainmode", "default") and pfs not in GROUPS:
        raise Refused(f'qmpfs is "{pfs}", and that group is not served', 'Such as "dhgroup14" or "ecdhp256".')
    words = {"mainmode": True, "none": False}
    group = parse_group(GROUPS[pfs]) if pfs in GROUPS else words.get(pfs)
    methods = said.get("qmsecmethods", "default")
    if methods.lower() in ("", "default", "none"):
        session.methods_missing = True
        return replace(rule, pfs=group, legacy=bool(weak([group if not isinstance(group, bool) else None])))
    found = session.methods(firewall_offers(methods))
    limits = {one.limits for one in found}
    lifetime = found[0].limits if len(limits) == 1 else None
    if lifetime is not None:
        found = tuple(SecurityMethod(one.transforms, Limits(), one.encapsulate) for one in found)
    names = weak([*found, group if not isinstance(group, bool) else None])
    if names:
        session.note(f"{', '.join(names)} can be broken today", WEAK_CURE)
    return replace(rule, protect=found, lifetime=lifetime, pfs=group, legacy=bool(names))


def read_main_mode(session: Session, said: Said) -> MainModeRule:
    """A main mode rule; raises Refused or BadWord."""
    ends = ends_of(endpoint(said, "endpoint1"), endpoint(said, "endpoint2"))
    mode = read_mode(session, said)
    auth = first_auth(session, said, said.get("name", ""))
    if mode is None and not auth:
        raise Refused("it names neither methods nor a lifetime nor an authentication, and so changes nothing")
    names = weak(mode.methods) if mode is not None else ()
    if names:
        session.note(f"{', '.join(names)} can be broken today", WEAK_CURE)
    return MainModeRule(
        said.get("name", ""), ends.local, ends.remote, ends.either_end, auth, main_mode=mode, legacy=bool(names),
        scope=read_scope(said), enabled=is_on(said, "enable", default=True), description=said.get("description", ""),
    )  # fmt: skip


def read_mode(session: Session, said: Said, old: MainMode | None = None) -> MainMode | None:
    """Main mode settings; None where it names none. Raises Refused."""
    if not any(tag in said for tag in ("mmsecmethods", "mmkeylifetime", "mmforcedh")):
        return old
    mode = old or MainMode()
    seconds, sessions = _key_lifetime(said.get("mmkeylifetime", ""), mode)
    limits = Limits(seconds=seconds)
    methods = said.get("mmsecmethods", "")
    if methods.lower() == "default":
        session.note("Windows' default methods of main mode are weak (Diffie-Hellman group 2, SHA-1); these are ours")
        mode = replace(mode, methods=MainMode().methods)
    elif methods:
        mode = replace(mode, methods=session.methods(firewall_main_modes(methods, limits)))
    return MainMode(
        tuple(replace(one, limits=limits) for one in mode.methods), seconds, sessions,
        force_dh=is_on(said, "mmforcedh", default=mode.force_dh),
    )  # fmt: skip


def _key_lifetime(text: str, old: MainMode) -> tuple[int, int]:
    """``480min,0sess``; raises Refused."""
    if text.lower() == "notconfigured":
        return MAIN_MODE_LIFETIME_S, 0
    seconds, sessions = old.lifetime_s, old.sessions
    for part in text.lower().replace(" ", "").split(","):
        number = part.rstrip("minsetao")
        if not part:
            continue
        if not (number.isascii() and number.isdecimal() and len(number) < 11):
            raise Refused(f'mmkeylifetime is "{text}", but has to be such as 480min,0sess')
        if part.endswith("sess"):
            sessions = min(int(number), 1 << 31)
        else:
            seconds = min(max(int(number), 1) * 60, LONGEST_S)
    return seconds, sessions


def told(error: Refused | BadWord) -> tuple[str, str]:
    """Why a rule is left out, and the cure."""
    return (f"it says something, {error.why}" if isinstance(error, BadWord) else error.why), error.cure
