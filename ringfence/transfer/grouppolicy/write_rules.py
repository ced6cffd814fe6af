# SPDX-License-Identifier: Apache-2.0
"""Rules and filters of a policy as strings of a Group Policy object.

Windows' rules lie between two endpoints, whichever this computer is at, so ``me`` becomes any address. A rule that
Windows cannot have as it is written is left out as a whole; it would be for more traffic, or for more people.
"""

from collections.abc import Iterator

from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.net.flow import ICMP, ICMPV6, TCP, UDP
from ringfence.policy.addresses import families
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Address, Filter, Keyword, MainModeRule, Need, Reading, Rule, Secure
from ringfence.policy.scope import LinkKind, Scope
from ringfence.policy.terms import Access, Security
from ringfence.policy.traffic import Traffic
from ringfence.transfer.consec import KEYWORDS, descriptor, is_sid
from ringfence.transfer.grouppolicy import tokens
from ringfence.transfer.grouppolicy.grammar import Said, Token, write
from ringfence.transfer.grouppolicy.rules import ACTIONS
from ringfence.transfer.grouppolicy.tokens import V2_10
from ringfence.transfer.grouppolicy.values import PLACES, Ports, Where
from ringfence.transfer.grouppolicy.write_sets import GROUP, plain
from ringfence.transfer.grouppolicy.write_suites import Fields
from ringfence.transfer.powershell.write_rules import SID_CURE, groups, sayable

WORDS = {KEYWORDS[word.lower()]: word for word in PLACES}
CLEAR_OUT = Secure(Need.REQUIRE, Need.NONE)
MODULES = {module: word for word, module in tokens.MODULE_WORDS.items()}
SECURITIES = {
    Security.AUTHENTICATED: [tokens.SECURITY.say("Authenticate")],
    Security.ENCRYPTED: [tokens.SECURITY.say("AuthenticateEncrypt")],
    Security.NEGOTIATED: [tokens.SECURITY.say("AuthenticateEncrypt"), tokens.SECURITY_2.say("AnE-Nego")],
    Security.NO_ENCAPSULATION: [tokens.SECURITY.say("Authenticate"), tokens.SECURITY_2_9.say("An-NoEncap")],
}
BOTH = ((Reading.IN, "In"), (Reading.OUT, "Out"))


def numbered(name: str, number: int) -> str:
    """The name of one of several rules that one comes to."""
    return name if number == 1 else f"{name} ({number})"


def about(name: str, description: str, enabled: bool, scope: Scope) -> Fields:
    """What every rule has. Raises BadWord."""
    if any(not isinstance(one, LinkKind) for one in scope.interfaces):
        raise BadWord("Windows calls interfaces by other names", cure='Say kinds of them, such as "lan".')
    links = [one for one in scope.interfaces if isinstance(one, LinkKind)]
    fields = [tokens.ACTIVE.say(enabled), *(tokens.PROFILE.say(one) for one in scope.profiles)]
    fields += [tokens.LINKS.say(one) for one in links]
    fields += [tokens.NAME.say(name), *([tokens.DESCRIPTION.say(plain(description))] if description else [])]
    return [*fields, tokens.GROUP.say(GROUP)]


def end(addresses: tuple[Address, ...], token4: Token[Where], token6: Token[Where], *, me: bool) -> Fields:
    """One endpoint, in both families; ``me``: whether this computer's own addresses may be meant. Raises BadWord."""
    if Keyword.ANY in addresses or (me and addresses == (Keyword.ME,)):
        return []
    fields: Fields = []
    for one in addresses:
        if isinstance(one, AddressRange):
            fields.append((token4 if one.version == 4 else token6).say(one))
        elif one in WORDS:
            fields += [token4.say(WORDS[one]), token6.say(WORDS[one])]
        elif one is Keyword.ME:
            raise BadWord("Windows has no word for this computer's own addresses")
        else:
            raise BadWord(f"Windows takes addresses, and {one} is a name", cure="Write the addresses themselves.")
    return fields


def _ends(item: Rule | MainModeRule) -> Fields:
    first = end(item.local, tokens.FIRST4, tokens.FIRST6, me=True)
    return [*first, *end(item.remote, tokens.SECOND4, tokens.SECOND6, me=False)]


def ports(found: tuple[PortRange, ...], one: Token[PortRange], several: Token[PortRange]) -> Fields:
    """Ports of one end, each as a port or as a range."""
    if found == (ANY_PORT,):
        return []
    return [(one if each.first == each.last else several).say(each) for each in found]


def who(allow: Access, deny: Access, computers: Token[str], users: Token[str]) -> Fields:
    """Who may and who may not. Raises BadWord where an account is not given by its SID."""
    fields: Fields = []
    for token, allowed, denied in (
        (computers, allow.computers, deny.computers), (users, allow.users, deny.users),
    ):  # fmt: skip
        for one in (*allowed, *denied):
            if not is_sid(one):
                raise BadWord(f"Windows takes accounts by their SIDs, and not as {one}", cure=SID_CURE)
        if allowed or denied:
            fields.append(token.say(descriptor(allowed, denied)))
    return fields


def rule_strings(rule: Rule, terms: Fields) -> Iterator[tuple[str, Said]]:
    """The rules that one comes to, by their names; several where its traffic needs them. Raises BadWord."""
    sayable(rule)
    action = next((word for word, secure in ACTIONS.items() if secure == rule.secure), None)
    if rule.gateways is not None and rule.secure == CLEAR_OUT:
        action = "Secure"
    if action is None or (rule.gateways is not None and action != "Secure"):
        raise BadWord(f"Windows' Group Policy has no {'tunnel' if rule.gateways else 'rule'} that is {rule.secure}")
    access = who(rule.allow, rule.deny, tokens.COMPUTERS, tokens.USERS)
    for number, (protocol, first, second) in enumerate(groups(rule), 1):
        name = numbered(rule.name, number)
        fields = [tokens.ACTION.say(action), *about(name, rule.description, rule.enabled, rule.scope), *_ends(rule)]
        fields += [] if protocol is None else [tokens.PROTOCOL.say(protocol)]
        fields += ports(first, tokens.FIRST_PORT, tokens.FIRST_PORTS)
        fields += ports(second, tokens.SECOND_PORT, tokens.SECOND_PORTS)
        fields += [*_tunnel(rule), *(tokens.KEY_MODULES.say(MODULES[one]) for one in rule.keying), *terms, *access]
        # Who does not know these lists would let in everybody.
        fields += [tokens.SKIP.say(V2_10)] if access else []
        yield name, write(V2_10, tokens.CONSEC, fields)


def _tunnel(rule: Rule) -> Fields:
    if rule.gateways is None:
        return []
    if rule.allow or rule.deny:
        raise BadWord("Windows' tunnels name nobody themselves", cure="Say authorize = true, and whom in [global].")
    fields: Fields = []
    for address, token4, token6 in (
        (rule.gateways.local, tokens.LTUNNEL4_2, tokens.LTUNNEL6_2),
        (rule.gateways.remote, tokens.RTUNNEL4_2, tokens.RTUNNEL6_2),
    ):
        if address is not None:
            fields.append((token4 if len(address) == 4 else token6).say(address))
    if not fields:
        version = min(families(rule.local) & families(rule.remote), default=4)
        token = tokens.LTUNNEL4_2 if version == 4 else tokens.LTUNNEL6_2
        fields.append(token.say(bytes(4 if version == 4 else 16)))
    flags = (
        (tokens.CLEAR_OUT, rule.secure == CLEAR_OUT),
        (tokens.BYPASS, rule.exempt_protected),
        (tokens.AUTHORIZE, rule.authorize),
    )
    return [*fields, *(token.say(True) for token, said in flags if said)]


def main_mode_string(rule: MainModeRule, terms: Fields) -> Said:
    """A main mode rule. Raises BadWord."""
    if rule.scope.interfaces:
        raise BadWord("a main mode rule of Windows is for all kinds of interfaces", cure="Leave interfaces out.")
    fields = [*about(rule.name, rule.description, rule.enabled, rule.scope), *_ends(rule), *terms]
    return write(V2_10, tokens.MAIN_MODE, fields)


# -- rules of the firewall


def filter_strings(item: Filter) -> Iterator[tuple[str, Said]]:
    """The rules of the firewall that a filter comes to which blocks, or permits what is secure. Raises BadWord."""
    if item.either_end:
        raise BadWord("Windows' firewall knows which end this computer is at", cure="Say local and remote.")
    does = _does(item)
    number = 0
    for reading, direction in BOTH:
        if item.direction not in (reading, Reading.BOTH):
            continue
        for traffic in _traffic(item.traffic, inward=reading is Reading.IN):
            number += 1
            name = numbered(item.name, number)
            fields = [*does, tokens.DIRECTION.say(direction), *about(name, item.description, item.enabled, item.scope)]
            fields += end(item.local, tokens.LOCAL4, tokens.LOCAL6, me=True)
            fields += end(item.remote, tokens.REMOTE4, tokens.REMOTE6, me=False)
            yield name, write(V2_10, tokens.FIREWALL, [*fields, *traffic])


def _does(item: Filter) -> Fields:
    if item.secure is None:
        if item.override_block or item.allow or item.deny:
            raise BadWord("it says more than that traffic is blocked")
        return [tokens.FW_ACTION.say("Block")]
    if not item.mirrored and not item.override_block:
        raise BadWord("Windows' firewall lets answers through with what they answer",
                      cure="Leave out mirrored = false.")  # fmt: skip
    if item.secure is Security.NEGOTIATED and item.direction is not Reading.IN:
        raise BadWord("Windows negotiates encryption for what comes in only", cure='Say direction = "in".')
    if item.override_block and item.direction is not Reading.OUT and not item.allow.computers:
        raise BadWord("Windows overrides blocks inward for computers only", cure="Say allow.")
    outward = item.override_block and item.direction is Reading.OUT
    fields = [tokens.FW_ACTION.say("ByPass" if item.override_block and not outward else "Allow")]
    fields += SECURITIES[item.secure]
    fields += [tokens.BYPASS_OUT.say(True)] if outward else []
    return fields + who(item.allow, item.deny, tokens.REMOTE_COMPUTERS, tokens.REMOTE_USERS)


def _traffic(traffic: tuple[Traffic, ...], *, inward: bool) -> list[Fields]:
    """Protocol and ports, those that share all but the port of the receiver together."""
    served: dict[tuple[int | None, PortRange], dict[PortRange, None]] = {}
    for one in traffic:
        if one.either:
            raise BadWord("a firewall's rule names the port of one end", cure='Say "to" or "from".')
        sender = ANY_PORT if one.protocol in (ICMP, ICMPV6) else one.sender_ports
        served.setdefault((one.protocol, sender), {})[one.receiver_ports] = None
    return [_group(protocol, (sender,), tuple(receivers), inward) for (protocol, sender), receivers in served.items()]


def _group(
    protocol: int | None, sender: tuple[PortRange, ...], receiver: tuple[PortRange, ...], inward: bool
) -> Fields:
    if protocol is None:
        return []
    fields = [tokens.PROTOCOL.say(protocol)]
    if (sender, receiver) == ((ANY_PORT,), (ANY_PORT,)):
        return fields
    if protocol in (ICMP, ICMPV6):
        token = tokens.ICMP4 if protocol == ICMP else tokens.ICMP6
        return [*fields, *(token.say(_message(one)) for one in receiver)]
    if protocol not in (TCP, UDP):
        raise BadWord("Windows knows ports of TCP and UDP only")
    own, other = (receiver, sender) if inward else (sender, receiver)
    for found, one, several in ((own, tokens.LPORT, tokens.LPORTS), (other, tokens.RPORT, tokens.RPORTS)):
        fields += _firewall_ports(found, one, several)
    return fields


def _message(found: PortRange) -> PortRange:
    if found.first != found.last and (found.first % 256, found.last - found.first) != (0, 255):
        raise BadWord("Windows names messages of ICMP one by one")
    return found


def _firewall_ports(found: tuple[PortRange, ...], one: Token[Ports], several: Token[Ports]) -> Fields:
    if found == (ANY_PORT,):
        return []
    return [(one if each.first == each.last else several).say(each) for each in found]
