# SPDX-License-Identifier: Apache-2.0
"""``netsh advfirewall set global``: settings that hold for all connection security rules."""

from collections.abc import Sequence
from dataclasses import replace

from ringfence.policy.errors import BadWord
from ringfence.policy.methods import weak
from ringfence.policy.terms import IDLE_S, NOBODY, Access, CrlCheck, Exempt, GlobalSettings, ThroughNat
from ringfence.transfer.consec import accounts
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.consec import read_mode
from ringfence.transfer.netsh.session import WEAK_CURE, Session
from ringfence.transfer.netsh.words import Word

EXEMPT = {"neighbordiscovery": Exempt.NEIGHBOR_DISCOVERY, "icmp": Exempt.ICMP,
          "routerdiscovery": Exempt.ROUTER_DISCOVERY, "dhcp": Exempt.DHCP}  # fmt: skip
CRL = {"0": CrlCheck.NONE, "1": CrlCheck.REVOKED, "2": CrlCheck.STRICT, "notconfigured": CrlCheck.NONE}
NAT = {"never": ThroughNat.NEVER, "serverbehindnat": ThroughNat.SERVER, "serverandclientbehindnat": ThroughNat.BOTH}
ACCESS = {
    "authzcomputergrp": ("tunnel", "computers"), "authzusergrp": ("tunnel", "users"),
    "authzcomputergrptransport": ("transport", "computers"), "authzusergrptransport": ("transport", "users"),
}  # fmt: skip
UNSET = "notconfigured"


def change_settings(session: Session, settings: GlobalSettings, words: Sequence[Word]) -> GlobalSettings:
    """The settings after a command; raises Refused."""
    said = [part for word in words for part in ((word.tag, word.text) if word.tag else (word.text,))]
    kind, name, value = [*(one.lower() for one in said[:2]), " ".join(said[2:]), "", "", ""][:3]
    if kind == "mainmode":
        mode = read_mode(session, {name: value}, settings.main_mode)
        if mode is None:
            raise Refused(f'"{name}" is no setting of main mode')
        names = weak(mode.methods)
        if names:
            session.note(f"{', '.join(names)} can be broken today", WEAK_CURE)
        return replace(settings, main_mode=mode, legacy=settings.legacy or bool(names))
    if kind != "ipsec":
        raise Refused("of the global settings, those of ipsec and mainmode are brought along")
    return _ipsec(settings, name, value.lower() if name not in ACCESS else value)


def _ipsec(settings: GlobalSettings, name: str, value: str) -> GlobalSettings:
    if name == "strongcrlcheck" and value in CRL:
        return replace(settings, crl_check=CRL[value])
    if name == "saidletimemin" and (value == UNSET or (value.isdecimal() and 5 <= int(value) <= 60)):
        return replace(settings, idle_s=IDLE_S if value == UNSET else int(value) * 60)
    if name == "ipsecthroughnat" and value in (*NAT, UNSET):
        return replace(settings, through_nat=NAT.get(value, ThroughNat.NEVER))
    if name == "defaultexemptions":
        return replace(settings, exempt=_exempt(value))
    if name in ACCESS:
        return _access(settings, *ACCESS[name], value)
    raise Refused(f'"{name} {value}" is no setting of IPsec that netsh knows')


def _exempt(value: str) -> tuple[Exempt, ...]:
    if value == UNSET:
        return GlobalSettings().exempt
    words = [word.strip() for word in value.split(",") if word.strip()]
    unknown = [word for word in words if word not in (*EXEMPT, "none")]
    if unknown or not words:
        raise Refused(f'"{", ".join(unknown) or value}" is no exemption', f"They are none, {', '.join(EXEMPT)}.")
    return tuple(one for word, one in EXEMPT.items() if word in words)


def _access(settings: GlobalSettings, where: str, who: str, value: str) -> GlobalSettings:
    try:
        allowed, denied = accounts(value) if value.lower() not in ("none", UNSET) else ((), ())
    except BadWord as error:
        raise Refused(f"it says something, {error.why}", error.cure) from error
    of_computers = who == "computers"

    def changed(old: Access, names: tuple[str, ...]) -> Access:
        made = replace(old, computers=names) if of_computers else replace(old, users=names)
        return made or NOBODY

    if where == "tunnel":
        return replace(settings, tunnel_allow=changed(settings.tunnel_allow, allowed),
                       tunnel_deny=changed(settings.tunnel_deny, denied))  # fmt: skip
    return replace(settings, transport_allow=changed(settings.transport_allow, allowed),
                   transport_deny=changed(settings.transport_deny, denied))  # fmt: skip
