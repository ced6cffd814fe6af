# SPDX-License-Identifier: Apache-2.0
"""What a script says for the whole computer: ``Set-NetFirewallSetting``, ``Set-NetFirewallProfile``, default sets."""

from dataclasses import replace

from ringfence.policy.errors import BadWord
from ringfence.policy.terms import (
    Access,
    CrlCheck,
    Exempt,
    GlobalSettings,
    Kerberos,
    PskEncoding,
    ThroughNat,
)
from ringfence.transfer.consec import access
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.session import Session
from ringfence.transfer.powershell.terms import Gone, Terms
from ringfence.transfer.powershell.values import Kind, Thing, items_of, text_of

EXEMPT = {
    "NeighborDiscovery": Exempt.NEIGHBOR_DISCOVERY, "Icmp": Exempt.ICMP, "RouterDiscovery": Exempt.ROUTER_DISCOVERY,
    "Dhcp": Exempt.DHCP,
}  # fmt: skip
CRL = {"None": CrlCheck.NONE, "AttemptCrlCheck": CrlCheck.REVOKED, "RequireCrlCheck": CrlCheck.STRICT}
NAT = {"None": ThroughNat.NEVER, "Server": ThroughNat.SERVER, "Both": ThroughNat.BOTH}
ENCODING = {"UTF8": PskEncoding.UTF8, "UTF16": PskEncoding.UTF16}
IDLE_S = (300, 3600)
NOT_KEPT = {
    "EnablePacketQueuing": "this computer spreads its load by itself",
    "RequireFullAuthSupport": "of the ways to authenticate those are tried that a protocol has",
    "EnableStatefulFtp": "it is about Windows' firewall",
    "EnableStatefulPptp": "it is about Windows' firewall",
}
FIREWALL_CURE = "What is not named is permitted here; [[filter]] permits and blocks."


def settings_of(session: Session, terms: Terms, report: Report) -> GlobalSettings:
    """The settings that hold for all rules."""
    found = _sets(terms, report)
    said = {name: value for name, value in session.setting.values.items() if text_of(value) != "NotConfigured"}
    found = _chosen(found, session.setting)
    for name, why in NOT_KEPT.items():
        if name in said:
            report.note(session.setting.line, f"-{name}", why)
    found = _idle(found, session.setting, report)
    found = _authorization(found, session.setting, report)
    return replace(found, local_rules=_local_rules(session.profiles, report))


def _sets(terms: Terms, report: Report) -> GlobalSettings:
    found = GlobalSettings()
    first, second = (terms.default(kind) for kind in (Kind.PHASE1, Kind.PHASE2))
    try:
        if first is not None:
            found = replace(found, auth_set=terms.auth(first, second))
        elif second is not None:
            found = replace(found, second_auth=terms.second(second))
        if (main := terms.default(Kind.MAIN_MODE_CRYPTO)) is not None:
            found = replace(found, main_mode_crypto=terms.main_mode(main))
        if (quick := terms.default(Kind.QUICK_MODE_CRYPTO)) is not None:
            found = replace(found, quick_mode_crypto=terms.quick_mode(quick))
    except Gone as error:
        report.leave(0, "a default set", str(error))
    return found


def _chosen(found: GlobalSettings, setting: Thing) -> GlobalSettings:
    said = setting.values
    words = items_of(said.get("Exemptions"))
    exempt = tuple(one for word, one in EXEMPT.items() if word in words)
    return replace(
        found,
        exempt=exempt if words and "NotConfigured" not in words else found.exempt,
        crl_check=CRL.get(text_of(said.get("CertValidationLevel")), found.crl_check),
        through_nat=NAT.get(text_of(said.get("AllowIPsecThroughNAT")), found.through_nat),
        psk_encoding=ENCODING.get(text_of(said.get("KeyEncoding")), found.psk_encoding),
    )


def _idle(found: GlobalSettings, setting: Thing, report: Report) -> GlobalSettings:
    seconds = setting.values.get("MaxSAIdleTimeSeconds")
    if not isinstance(seconds, int):
        return found
    if not IDLE_S[0] <= seconds <= IDLE_S[1]:
        report.leave(setting.line, f"-MaxSAIdleTimeSeconds {seconds}", "Windows takes 300 to 3600")
        return found
    return replace(found, idle_s=seconds)


def _authorization(found: GlobalSettings, setting: Thing, report: Report) -> GlobalSettings:
    tunnel, transport = (_who(setting, mode, report) for mode in ("Tunnel", "Transport"))
    return replace(
        found,
        tunnel_allow=tunnel[0],
        tunnel_deny=tunnel[1],
        transport_allow=transport[0],
        transport_deny=transport[1],
    )


def _who(setting: Thing, mode: str, report: Report) -> tuple[Access, Access]:
    try:
        return access(*(_list(setting, f"Remote{who}{mode}AuthorizationList") for who in ("Machine", "User")))
    except BadWord as error:
        report.leave(setting.line, f"{mode.lower()} authorization", f"it says something {error.why}", error.cure)
        return Access(), Access()


def _list(thing: Thing, name: str) -> str:
    text = text_of(thing.values.get(name))
    return "" if text.lower() == "none" else text


def _local_rules(profiles: list[Thing], report: Report) -> bool:
    """Whether rules of this computer hold beside those of the domain."""
    others: dict[int, dict[str, None]] = {}
    for one in profiles:
        for name in one.values:
            if name not in ("Name", "AllowLocalIPsecRules"):
                others.setdefault(one.line, {})[f"-{name}"] = None
    for line, names in others.items():
        report.leave(line, f"Set-NetFirewallProfile {' '.join(names)}", "it is about Windows' firewall", FIREWALL_CURE)
    off = [one for one in profiles if one.values.get("AllowLocalIPsecRules") == "False"]
    if off and len(off) < len(profiles):
        some = ", ".join(one.name for one in off)
        report.leave(off[0].line, "-AllowLocalIPsecRules False", f"it is said of {some} only, and holds for all here")
    return len(off) < len(profiles)


def with_kerberos(found: GlobalSettings) -> GlobalSettings:
    """With Windows' default authentication."""
    return replace(found, auth=(Kerberos(),))
