# SPDX-License-Identifier: Apache-2.0
"""What Group Policy objects say for the whole computer: global values, profiles, the sets of rules that name none.

[MS-GPFAS] §2.2.1 and §2.2.3. Whether rules of the computer itself count (``AllowLocalIPsecPolicyMerge``) is said for
each profile there, and for all here.
"""

from collections.abc import Iterable
from dataclasses import replace

from ringfence.place import Place
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
from ringfence.transfer.grouppolicy.registry import Entry, Registry
from ringfence.transfer.grouppolicy.report import Report
from ringfence.transfer.grouppolicy.sets import BASE, SetKind, SetSaid
from ringfence.transfer.grouppolicy.terms import Gone, Terms

FLAGS = {1: Exempt.NEIGHBOR_DISCOVERY, 2: Exempt.ICMP, 4: Exempt.ROUTER_DISCOVERY, 8: Exempt.DHCP}
CRL = {0: CrlCheck.NONE, 1: CrlCheck.REVOKED, 2: CrlCheck.STRICT}
NAT = {0: ThroughNat.NEVER, 1: ThroughNat.SERVER, 2: ThroughNat.BOTH}
ENCODING = {0: PskEncoding.UTF16, 1: PskEncoding.UTF8}
IDLE, EXEMPT, CRL_CHECK, THROUGH_NAT, KEY_ENCODING = (
    "SAIdlTime", "IPsecExempt", "StrongCRLCheck", "IPsecThroughNAT", "PresharedKeyEncoding",
)  # fmt: skip
IDLE_S = (300, 3600)
LISTS = {
    mode.lower(): (f"IPsec{mode}RemoteMachineAuthorizationList", f"IPsec{mode}RemoteUserAuthorizationList")
    for mode in ("Tunnel", "Transport")
}
NOT_KEPT = {
    "PolicyVersion": "", "DisableStatefulFTP": "it is about Windows' firewall",
    "DisableStatefulPPTP": "it is about Windows' firewall",
    "IPsecOpportunisticallyMatchAuthSetPerKM": "of the ways to authenticate those are tried that a protocol has",
    "EnablePacketQueue": "this computer spreads its load by itself",
}  # fmt: skip
"""What means nothing here, and why, where that is worth a word."""
PROFILES = ("DomainProfile", "PrivateProfile", "PublicProfile")
IPSEC_MERGE, FIREWALL_MERGE = "AllowLocalIPsecPolicyMerge", "AllowLocalPolicyMerge"
BLOCKING = {"DefaultInboundAction", "DefaultOutboundAction", "DoNotAllowExceptions"}
FIREWALL_CURE = "What is not named is permitted here; [[filter]] permits and blocks."


class Settings:
    """Reads them, once."""

    def __init__(self, registry: Registry, report: Report) -> None:
        self._registry = registry
        self._report = report
        self._places: dict[str, Place] = {}

    def read(self, terms: Terms) -> GlobalSettings:
        """The settings that hold for all rules."""
        found = self._chosen(self._sets(terms))
        tunnel, transport = (self._who(mode, *names) for mode, names in LISTS.items())
        self._mention()
        self._firewall()
        found = replace(
            found,
            tunnel_allow=tunnel[0],
            tunnel_deny=tunnel[1],
            transport_allow=transport[0],
            transport_deny=transport[1],
            local_rules=self._local_rules(),
        )
        head = next(iter(self._places.values()), found.place)
        return replace(found, places=dict(self._places), place=head)

    def _sets(self, terms: Terms) -> GlobalSettings:
        found = GlobalSettings()
        for kind in SetKind:
            one = terms.default(kind)
            if one is None:
                continue
            try:
                found = self._with_set(found, terms, one)
            except Gone as error:
                terms.leave(one, error)
        return found

    def _with_set(self, found: GlobalSettings, terms: Terms, one: SetSaid) -> GlobalSettings:
        place = Place(self._report.place(one.origin))
        match one.kind:
            case SetKind.AUTH1:
                found = replace(found, auth_set=terms.auth(one, terms.default(SetKind.AUTH2)))
                self._places["auth-set"] = place
            case SetKind.AUTH2 if not found.auth_set:
                found = replace(found, second_auth=terms.second(one))
                self._places["second-auth"] = place
            case SetKind.CRYPTO1:
                found = replace(found, main_mode_crypto=terms.main_mode(one))
                self._places["main-mode-crypto"] = place
            case SetKind.CRYPTO2:
                found = replace(found, quick_mode_crypto=terms.quick_mode(one))
                self._places["quick-mode-crypto"] = place
        return found

    def _number(self, name: str, setting: str, allowed: Iterable[int]) -> int | None:
        """A global value; what it may not be is told."""
        entry = self._registry.value(BASE, name)
        if entry is None:
            return None
        number = entry.number
        if number is None or number not in allowed:
            said = "no number" if number is None else str(number)
            self._report.leave(self._place(entry), name, f"it is {said}, which Windows does not take")
            return None
        self._places[setting] = Place(self._report.place(entry.origin))
        return number

    def _place(self, entry: Entry) -> str:
        return self._report.place(entry.origin, entry.path[len(BASE) + 1 :])

    def _chosen(self, found: GlobalSettings) -> GlobalSettings:
        flags = self._number(EXEMPT, "exempt", range(16))
        idle = self._number(IDLE, "idle-time", range(IDLE_S[0], IDLE_S[1] + 1))
        crl = self._number(CRL_CHECK, "crl-check", CRL)
        nat = self._number(THROUGH_NAT, "nat", NAT)
        encoding = self._number(KEY_ENCODING, "psk-encoding", ENCODING)
        exempt = found.exempt if flags is None else tuple(one for bit, one in FLAGS.items() if flags & bit)
        return replace(
            found,
            exempt=exempt,
            idle_s=found.idle_s if idle is None else idle,
            crl_check=found.crl_check if crl is None else CRL[crl],
            through_nat=found.through_nat if nat is None else NAT[nat],
            psk_encoding=found.psk_encoding if encoding is None else ENCODING[encoding],
        )

    def _who(self, mode: str, computers: str, users: str) -> tuple[Access, Access]:
        entries = [one for name in (computers, users) if (one := self._registry.value(BASE, name)) is not None]
        if not entries:
            return Access(), Access()
        texts = {one.instruction.value.lower(): one.text or "" for one in entries}
        try:
            found = access(texts.get(computers.lower(), ""), texts.get(users.lower(), ""))
        except BadWord as error:
            self._report.leave(self._place(entries[0]), f"{mode} authorization", f"it says something {error.why}",
                               error.cure)  # fmt: skip
            return Access(), Access()
        self._places[f"{mode}-authorization"] = Place(self._report.place(entries[0].origin))
        return found

    def _mention(self) -> None:
        """Global values that mean nothing here."""
        lists = (name for names in LISTS.values() for name in names)
        lower = {name.lower() for name in (IDLE, EXEMPT, CRL_CHECK, THROUGH_NAT, KEY_ENCODING, *lists)}
        for name, entry in self._registry.values(BASE).items():
            if name.lower() in lower:
                continue
            why = next((why for one, why in NOT_KEPT.items() if one.lower() == name.lower()), "it is not known here")
            if why:
                self._report.note(self._place(entry), name, why)

    def _local_rules(self) -> bool:
        """Whether rules of this computer hold beside those of the domain."""
        said = {one: self._registry.value(f"{BASE}\\{one}", IPSEC_MERGE) for one in PROFILES}
        off = {name: entry for name, entry in said.items() if entry is not None and entry.number == 0}
        if off and len(off) < len(PROFILES):
            some = ", ".join(name.removesuffix("Profile").lower() for name in off)
            why = f"it is said of {some} networks only, and holds for all here; rules of this computer are kept"
            self._report.leave(self._place(next(iter(off.values()))), f"{IPSEC_MERGE} = 0", why)
        if len(off) == len(PROFILES):
            self._places["local-rules"] = Place(self._report.place(next(iter(off.values())).origin))
            return False
        return True

    def _firewall(self) -> None:
        """What profiles say of Windows' firewall."""
        for profile in PROFILES:
            values = self._registry.values(f"{BASE}\\{profile}")
            said = [one for name, one in values.items() if name.lower() != IPSEC_MERGE.lower()]
            blocking = [one for one in said if one.instruction.value in BLOCKING and one.number]
            merge = [one for one in said if one.instruction.value == FIREWALL_MERGE and one.number == 0]
            for one in blocking:
                self._report.leave(self._place(one), one.instruction.value, "it is about Windows' firewall",
                                   FIREWALL_CURE)  # fmt: skip
            for one in merge:
                why = "filters of this computer hold all the same, unless its rules do not"
                self._report.leave(self._place(one), f"{FIREWALL_MERGE} = 0", why)
            rest = [one.instruction.value for one in said if one not in (*blocking, *merge)]
            if rest:
                place = self._report.place(said[0].origin, profile)
                self._report.note(place, ", ".join(rest), "it is about Windows' firewall")


def with_kerberos(found: GlobalSettings) -> GlobalSettings:
    """With Windows' default authentication."""
    return replace(found, auth=(Kerberos(),))
