# SPDX-License-Identifier: Apache-2.0
"""A policy as a PowerShell script with the NetSecurity cmdlets.

The script may be run again: it first removes what carries its group. Then come the sets, the default ones too, since
Windows' own defaults are weak, and then the rules that name them. An IPsec policy in the form of the snap-in is written
as the rules that it comes to; cmdlets know no other form. What Windows cannot have is left out, and the script's head
says so.
"""

from collections.abc import Mapping
from dataclasses import replace

from ringfence.net.address import AddressRange
from ringfence.policy.boot import NO_BOOT
from ringfence.policy.errors import BadWord
from ringfence.policy.lower import statements
from ringfence.policy.model import ANY, Filter, Kind, MainModeRule, Policy, Rule, Verb
from ringfence.policy.networks import NO_PROFILES
from ringfence.policy.settle import Settler, encrypts
from ringfence.policy.terms import AuthSet, GlobalSettings
from ringfence.transfer.base import Exported, unassigned
from ringfence.transfer.powershell.settings import CRL, ENCODING, EXEMPT, NAT
from ringfence.transfer.powershell.values import Kind as Object
from ringfence.transfer.powershell.write_filters import exemption_of, firewall_words
from ringfence.transfer.powershell.write_rules import (
    access_words,
    key_module,
    main_mode_words,
    rule_words,
)
from ringfence.transfer.powershell.write_sets import Sets, limited, windows_has
from ringfence.transfer.powershell.writing import Left, Words, command, quote

GROUP = "Ringfence"
CLEANED = (
    Object.RULE,
    Object.MAIN_MODE_RULE,
    Object.PHASE1,
    Object.PHASE2,
    Object.MAIN_MODE_CRYPTO,
    Object.QUICK_MODE_CRYPTO,
    Object.FIREWALL_RULE,
)
DEFAULT_TITLE = "Default"
PACKET_FILTERS = "Windows has such filters in Routing and Remote Access only"
UNSAID = {
    "local_identity": "Windows is known by its address or certificate",
    "remote_identity": "Windows is known by its address or certificate",
    "tcp": "Windows speaks IKE by UDP only",
    "ppk": "Windows knows no postquantum preshared keys",
    "resumption": "Windows resumes nothing by tickets",
    "replay_window": "the window of replayed packets is Windows' own",
    "tfc_octets": "Windows does not pad packets",
    "nat_traversal": "whether NAT is looked for is said for the whole computer there",
    "mobike": "whether a tunnel may move is not said there",
    "initiate": "Windows begins by itself",
    "tunnel": "the outer header is as Windows makes it",
    "own_auth": "both sides prove themselves alike there",
}


def write_script(policy: Policy, keys: Mapping[str, str]) -> Exported:
    """The script, and what it does not say."""
    writer = _Writer(policy, keys)
    return Exported(writer.text(), tuple(writer.left.items))


class _Writer:
    def __init__(self, policy: Policy, keys: Mapping[str, str]) -> None:
        self.left = Left()
        self._policy = policy
        self._settle = Settler(policy)
        self._sets = Sets(keys, self.left)
        self._auth_sets = {one.name: one for one in policy.auth_sets}
        self._rules: list[str] = []
        own = len([*policy])
        self._items = [*policy.rules, *policy.filters, *statements(policy)[own:]]

    def text(self) -> str:
        """All of it."""
        self._write_defaults()
        self._write_main_modes()
        for item in self._items:
            if isinstance(item, Filter):
                self._write_filter(item)
            else:
                self._write_rule(item)
        self._write_unused()
        self._say_others()
        settings = self._settings(self._policy.settings)
        head = ["# Connection security rules, written by Ringfence. Run it in PowerShell as an administrator."]
        head += [f"# Left out: {line}" for one in self.left.items for line in str(one).splitlines()]
        clean = [f"Remove-{kind.value} -Group $group -ErrorAction SilentlyContinue" for kind in CLEANED]
        parts = ["\n".join(head), "\n".join([f"$group = {quote(GROUP)}", *clean, *self._sets.cleaning()])]
        parts += ["\n".join(settings)] if settings else []
        return "\n\n".join([*parts, *self._sets.lines, *self._rules]) + "\n"

    def _say_others(self) -> None:
        """What a document may say beside rules, and Windows has another place for, or none."""
        self.left.items += unassigned(self._policy, "it is not assigned, and PowerShell's rules hold at once")
        for one in self._policy.packet_filters:
            self.left.out(one.place, f'packet filter "{one.name}"', PACKET_FILTERS)
        if self._policy.boot != NO_BOOT:
            cure = "netsh has them for IPsec policies: ringfence policy export --format netsh"
            self.left.out(self._policy.boot.place, "boot", "the cmdlets do not set what passes at boot", cure)
        if self._policy.profiles != NO_PROFILES:
            self.left.out(self._policy.profiles.place, "profile", "Windows tells networks apart by itself")

    # -- rules

    def _write_rule(self, rule: Rule) -> None:
        try:
            said = list(rule_words(rule))
            terms = [] if rule.secure.exempt else self._terms(rule)
            if rule.main_mode not in (None, self._settle.default.main_mode) and not rule.secure.exempt:
                self._write_main_mode(main_mode_of(rule))
            self._rules += [command("New-NetIPsecRule", [*words, *terms]) for words in said]
        except BadWord as error:
            self.left.out(rule.place, f'rule "{rule.name}"', error.why, error.cure)
            return
        self._say_unsaid(rule)

    def _say_unsaid(self, rule: Rule) -> None:
        plain = Rule(rule.name, rule.kind)
        for name, why in UNSAID.items():
            if getattr(rule, name) != getattr(plain, name):
                self.left.out(rule.place, f'rule "{rule.name}", {name.replace("_", "-")}', why)
        if len(rule.keying) > 1:
            self.left.out(rule.place, f'rule "{rule.name}", keying', "Windows takes one protocol or its default")

    def _terms(self, rule: Rule) -> Words:
        self._need_main_mode()
        return [*self._auth(rule), *self._quick_mode(rule), *key_module(rule)]

    def _auth(self, rule: Rule) -> Words:
        named = self._auth_sets.get(rule.auth_set)
        first = rule.auth or (named.first if named is not None else ())
        second = rule.second_auth or (named.second if named is not None else ())
        if not first:
            self._default_auth()
            return self._reference("Phase2AuthSet", self._sets.second(rule.name, second, rule.place)) if second else []
        title, place = (named.name, named.place) if named is not None and not rule.auth else (rule.name, rule.place)
        description = named.description if named is not None and not rule.auth else ""
        words = self._reference("Phase1AuthSet", self._sets.first(title, first, place, description))
        if second:
            words += self._reference("Phase2AuthSet", self._sets.second(title, second, place))
        return words

    def _reference(self, parameter: str, variable: str) -> Words:
        return [(parameter, f"{variable}.Name")]

    def _default_auth(self) -> None:
        settings, default = self._policy.settings, self._settle.default
        if not default.auth:
            raise BadWord("neither it nor [global] says how both sides prove who they are")
        named = self._auth_sets.get(settings.auth_set)
        title, description = (DEFAULT_TITLE, "") if named is None else (named.name, named.description)
        self._sets.first(title, default.auth, settings.place, description, default=True)
        if default.second_auth:
            self._sets.second(title, default.second_auth, settings.place, default=True)

    def _quick_mode(self, rule: Rule) -> Words:
        if rule.quick_mode_crypto:
            return self._reference("QuickModeCryptoSet", self._named_quick_mode(rule.quick_mode_crypto))
        if not rule.protect and rule.lifetime is None and rule.pfs is None:
            self._default_quick_mode()
            return []
        terms = self._settle.terms(rule)
        variable = self._sets.quick_mode(rule.name, terms.protect, terms.pfs, rule.place)
        return self._reference("QuickModeCryptoSet", variable)

    def _default_quick_mode(self) -> None:
        settings = self._policy.settings
        terms = self._settle.terms(Rule("", Kind.ISOLATION))
        named = next((one for one in self._policy.quick_mode_cryptos if one.name == settings.quick_mode_crypto), None)
        title, description = (DEFAULT_TITLE, "") if named is None else (named.name, named.description)
        self._sets.quick_mode(title, terms.protect, terms.pfs, settings.place, description, default=True)

    def _named_quick_mode(self, name: str) -> str:
        one = next(each for each in self._policy.quick_mode_cryptos if each.name == name)
        terms = self._settle.quick_mode(name)
        methods = limited(terms.protect, terms.lifetime)
        if self._policy.settings.require_encryption:
            methods = tuple(method for method in methods if encrypts(method))
        return self._sets.quick_mode(name, methods, terms.pfs, one.place, one.description)

    # -- main mode

    def _need_main_mode(self) -> None:
        settings = self._policy.settings
        named = next((one for one in self._policy.main_mode_cryptos if one.name == settings.main_mode_crypto), None)
        title, description = (DEFAULT_TITLE, "") if named is None else (named.name, named.description)
        mode = self._settle.default.main_mode
        if settings.main_mode is None and named is None:
            mode = replace(mode, methods=tuple(filter(windows_has, mode.methods)))
        self._sets.main_mode(title, mode, settings.place, description, default=True)

    def _write_defaults(self) -> None:
        """The default sets that the policy itself says."""
        said = self._policy.settings
        wanted = (
            (said.auth or said.auth_set, self._default_auth),
            (said.protect or said.lifetime or said.pfs or said.quick_mode_crypto, self._default_quick_mode),
            (said.main_mode or said.main_mode_crypto, self._need_main_mode),
        )
        for what, write in wanted:
            try:
                if what:
                    write()
            except BadWord as error:
                self.left.out(said.place, "global", error.why, error.cure)

    def _write_main_modes(self) -> None:
        for one in self._policy.main_modes:
            try:
                self._write_main_mode(one)
            except BadWord as error:
                self.left.out(one.place, f'main mode rule "{one.name}"', error.why, error.cure)

    def _write_main_mode(self, rule: MainModeRule) -> None:
        words = main_mode_words(rule)
        auth, mode = self._settle.main_mode(rule)
        if auth:
            named = None if rule.auth else self._auth_sets.get(rule.auth_set)
            title, place = (rule.name, rule.place) if named is None else (named.name, named.place)
            description = "" if named is None else named.description
            words += self._reference("Phase1AuthSet", self._sets.first(title, auth, place, description))
        if rule.main_mode is not None:
            words += self._reference("MainModeCryptoSet", self._sets.main_mode(rule.name, mode, rule.place))
        elif rule.main_mode_crypto:
            words += self._reference("MainModeCryptoSet", self._named_main_mode(rule.main_mode_crypto))
        self._rules.append(command("New-NetIPsecMainModeRule", words))

    def _named_main_mode(self, name: str) -> str:
        one = next(each for each in self._policy.main_mode_cryptos if each.name == name)
        if one.mode.pfs:
            self.left.out(
                one.place, f'main mode crypto "{name}", pfs', "one quick mode for each main mode is said instead"
            )
        return self._sets.main_mode(name, one.mode, one.place, one.description)

    # -- the rest

    def _write_filter(self, item: Filter) -> None:
        try:
            if item.verb is Verb.BLOCK or item.secure is not None:
                found = [command("New-NetFirewallRule", words) for words in firewall_words(item)]
            else:
                found = [command("New-NetIPsecRule", words) for words in rule_words(exemption_of(item))]
            self._rules += found
        except BadWord as error:
            self.left.out(item.place, f'filter "{item.name}"', error.why, error.cure)

    def _write_unused(self) -> None:
        """Sets that no rule names."""
        settings = self._policy.settings
        for one in self._policy.auth_sets:
            if one.name != settings.auth_set:
                self._unused(one)
        for crypto in self._policy.main_mode_cryptos:
            if crypto.name != settings.main_mode_crypto:
                self._named_or_left(crypto.name, main=True)
        for quick in self._policy.quick_mode_cryptos:
            if quick.name != settings.quick_mode_crypto:
                self._named_or_left(quick.name, main=False)

    def _unused(self, one: AuthSet) -> None:
        try:
            self._sets.first(one.name, one.first, one.place, one.description)
            if one.second:
                self._sets.second(one.name, one.second, one.place)
        except BadWord as error:
            self.left.out(one.place, f'auth set "{one.name}"', error.why, error.cure)

    def _named_or_left(self, name: str, *, main: bool) -> None:
        try:
            self._named_main_mode(name) if main else self._named_quick_mode(name)
        except BadWord as error:
            what = "main mode crypto" if main else "quick mode crypto"
            self.left.out(self._policy.settings.place, f'{what} "{name}"', error.why, error.cure)

    def _settings(self, settings: GlobalSettings) -> list[str]:
        plain = GlobalSettings()
        words: Words = []
        if settings.exempt != plain.exempt:
            names = ", ".join(name for name, one in EXEMPT.items() if one in settings.exempt)
            words.append(("Exemptions", names or "None"))
        if settings.idle_s != plain.idle_s:
            words.append(("MaxSAIdleTimeSeconds", str(settings.idle_s)))
        if settings.crl_check is not plain.crl_check:
            words.append(("CertValidationLevel", next(name for name, one in CRL.items() if one is settings.crl_check)))
        if settings.psk_encoding is not plain.psk_encoding:
            words.append(("KeyEncoding", next(name for name, one in ENCODING.items() if one is settings.psk_encoding)))
        words.append(("AllowIPsecThroughNAT", next(name for name, one in NAT.items() if one is settings.through_nat)))
        for mode, allow, deny in (
            ("Tunnel", settings.tunnel_allow, settings.tunnel_deny),
            ("Transport", settings.transport_allow, settings.transport_deny),
        ):
            try:
                words += access_words(
                    allow, deny, (f"RemoteMachine{mode}AuthorizationList", f"RemoteUser{mode}AuthorizationList")
                )
            except BadWord as error:
                self.left.out(settings.place, f"{mode.lower()}-authorization", error.why, error.cure)
        if settings.require_encryption:
            why = "methods without encryption are left away instead"
            self.left.out(settings.place, "require-encryption", why)
        for what, said in (
            ("dead-peer", settings.dead_peer != plain.dead_peer), ("fragmentation", not settings.fragmentation),
        ):  # fmt: skip
            if said:
                self.left.out(settings.place, what, "Windows has no such setting")
        lines = [command("Set-NetFirewallSetting", words)]
        return lines if settings.local_rules else [*lines, "Set-NetFirewallProfile -All -AllowLocalIPsecRules False"]


def main_mode_of(rule: Rule) -> MainModeRule:
    """What a rule says of main mode, as a main mode rule for the same computers; of a tunnel, for its ends."""
    local, remote, either = rule.local, rule.remote, rule.either_end
    if rule.gateways is not None:
        ends = (rule.gateways.local, rule.gateways.remote)
        local, remote = (ANY if end is None else (AddressRange.host(end),) for end in ends)
    return MainModeRule(
        rule.name, local, remote, either, main_mode=rule.main_mode, enabled=rule.enabled, place=rule.place
    )
