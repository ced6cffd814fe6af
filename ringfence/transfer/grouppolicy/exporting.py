# SPDX-License-Identifier: Apache-2.0
"""A policy as the registry.pol of a Group Policy object.

Default sets stand in it as well, since Windows' own are weak, and then the rules that name them. An IPsec policy in the
form of the snap-in is written as the rules that it comes to; Group Policy has it in the directory, and not here. What
Windows cannot have is left out, and named. Ids are made of names, so the same policy gives the same file.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.lower import statements
from ringfence.policy.model import Filter, Kind, MainModeRule, Policy, Rule, Verb
from ringfence.policy.settle import Settler, encrypts
from ringfence.policy.terms import AuthSet, Kerberos
from ringfence.transfer.base import Exported
from ringfence.transfer.grouppolicy import tokens
from ringfence.transfer.grouppolicy.grammar import Said
from ringfence.transfer.grouppolicy.ours import DEFAULT_TITLE, main_mode_for_windows
from ringfence.transfer.grouppolicy.preg import Instruction, encode, sz
from ringfence.transfer.grouppolicy.sets import BASE, SHAPES, SetKind
from ringfence.transfer.grouppolicy.write_rules import filter_strings, main_mode_string, rule_strings
from ringfence.transfer.grouppolicy.write_sets import Sets, made_id
from ringfence.transfer.grouppolicy.write_settings import settings_of, tell_others
from ringfence.transfer.grouppolicy.write_suites import Fields
from ringfence.transfer.powershell.exporting import UNSAID, main_mode_of
from ringfence.transfer.powershell.write_filters import exemption_of
from ringfence.transfer.powershell.write_sets import limited
from ringfence.transfer.powershell.writing import Left


def write_file(policy: Policy, keys: Mapping[str, str]) -> Exported:
    """The octets of the file, and what it does not say."""
    writer = _Writer(policy, keys)
    octets = encode(writer.instructions())
    return Exported("", tuple(writer.left.items), octets)


class _Writer:
    def __init__(self, policy: Policy, keys: Mapping[str, str]) -> None:
        self.left = Left()
        self._policy = policy
        self._settle = Settler(policy)
        self._sets = Sets(keys, self.left)
        self._auth_sets = {one.name: one for one in policy.auth_sets}
        self._rules: list[Instruction] = []

    def instructions(self) -> list[Instruction]:
        """All of it."""
        self._defaults()
        for one in self._policy.main_modes:
            self._try(one.place, f'main mode rule "{one.name}"', partial(self._main_mode, one))
        for item in (*self._policy.rules, *self._policy.filters, *statements(self._policy)[len([*self._policy]) :]):
            if isinstance(item, Filter):
                self._try(item.place, f'filter "{item.name}"', partial(self._filter, item))
            else:
                self._try(item.place, f'rule "{item.name}"', partial(self._rule, item))
        self._unused()
        tell_others(self._policy, self.left)
        return [*settings_of(self._policy.settings, self.left), *self._sets.instructions, *self._rules]

    def _try(self, place: Place, what: str, write: Callable[[], object]) -> None:
        try:
            write()
        except BadWord as error:
            self.left.out(place, what, error.why, error.cure)

    def _say(self, key: str, name: str, said: Said) -> None:
        self._rules.append(sz(f"{BASE}\\{key}", made_id(key, name), str(said)))

    # -- rules

    def _rule(self, rule: Rule) -> None:
        terms = [] if rule.secure.exempt else self._terms(rule)
        said = list(rule_strings(rule, terms))
        if rule.main_mode not in (None, self._settle.default.main_mode) and not rule.secure.exempt:
            self._main_mode(main_mode_of(rule))
        for name, one in said:
            self._say("ConSecRules", name, one)
        plain = Rule(rule.name, rule.kind)
        for name, why in UNSAID.items():
            if getattr(rule, name) != getattr(plain, name):
                self.left.out(rule.place, f'rule "{rule.name}", {name.replace("_", "-")}', why)

    def _terms(self, rule: Rule) -> Fields:
        self._default_main_mode()
        return [*self._auth(rule), *self._quick_mode(rule)]

    def _auth(self, rule: Rule) -> Fields:
        settings = self._policy.settings
        if not rule.auth and not rule.second_auth and rule.auth_set == settings.auth_set and not settings.auth:
            rule = replace(rule, auth_set="")
        named = self._auth_sets.get(rule.auth_set)
        first = rule.auth or (named.first if named is not None else ())
        second = rule.second_auth or (named.second if named is not None else ())
        if not first:
            self._default_auth()
            second_default = self._settle.default.second_auth
            fields = [tokens.AUTH1.say(SHAPES[SetKind.AUTH1].default)]
            if second:
                return [*fields, tokens.AUTH2.say(self._sets.second(rule.name, second, rule.place))]
            return [*fields, tokens.AUTH2.say(SHAPES[SetKind.AUTH2].default)] if second_default else fields
        title, place = (named.name, named.place) if named is not None and not rule.auth else (rule.name, rule.place)
        description = named.description if named is not None and not rule.auth else ""
        fields = [tokens.AUTH1.say(self._sets.first(title, first, place, description))]
        return [*fields, tokens.AUTH2.say(self._sets.second(title, second, place))] if second else fields

    def _quick_mode(self, rule: Rule) -> Fields:
        if rule.quick_mode_crypto and not rule.protect:
            return [tokens.CRYPTO2.say(self._named_quick_mode(rule.quick_mode_crypto))]
        if not rule.protect and rule.lifetime is None and rule.pfs is None:
            self._default_quick_mode()
            return [tokens.CRYPTO2.say(SHAPES[SetKind.CRYPTO2].default)]
        terms = self._settle.terms(rule)
        return [tokens.CRYPTO2.say(self._sets.quick_mode(rule.name, terms.protect, terms.pfs, rule.place))]

    def _filter(self, item: Filter) -> None:
        if item.verb is Verb.BLOCK or item.secure is not None:
            for name, said in list(filter_strings(item)):
                self._say("FirewallRules", name, said)
        else:
            self._rule(exemption_of(item))

    def _main_mode(self, rule: MainModeRule) -> None:
        auth, mode = self._settle.main_mode(rule)
        terms: Fields = []
        if auth:
            named = None if rule.auth else self._auth_sets.get(rule.auth_set)
            title, place = (rule.name, rule.place) if named is None else (named.name, named.place)
            terms.append(tokens.AUTH1.say(
                self._sets.first(title, auth, place, "" if named is None else named.description)))  # fmt: skip
        if rule.main_mode is not None:
            terms.append(tokens.CRYPTO1.say(self._sets.main_mode(rule.name, mode, rule.place)))
        elif rule.main_mode_crypto:
            terms.append(tokens.CRYPTO1.say(self._named_main_mode(rule.main_mode_crypto)))
        self._say("MainModeRules", rule.name, main_mode_string(rule, terms))

    # -- sets

    def _defaults(self) -> None:
        """The default sets that the policy itself says."""
        said = self._policy.settings
        wanted = (
            (said.auth or said.auth_set, self._default_auth),
            (said.protect or said.lifetime or said.pfs or said.quick_mode_crypto, self._default_quick_mode),
            (said.main_mode or said.main_mode_crypto, self._default_main_mode),
        )
        for what, write in wanted:
            if what:
                self._try(said.place, "global", write)

    def _default_auth(self) -> None:
        settings, default = self._policy.settings, self._settle.default
        if not default.auth:
            raise BadWord("neither it nor [global] says how both sides prove who they are")
        if default.auth == (Kerberos(),) and not default.second_auth and not settings.auth_set:
            return  # as Windows' own
        named = self._auth_sets.get(settings.auth_set)
        title, description = (DEFAULT_TITLE, "") if named is None else (named.name, named.description)
        self._sets.first(title, default.auth, settings.place, description, default=True)
        if default.second_auth:
            self._sets.second(title, default.second_auth, settings.place, default=True)

    def _default_quick_mode(self) -> None:
        settings = self._policy.settings
        terms = self._settle.terms(Rule("", Kind.ISOLATION))
        named = next((one for one in self._policy.quick_mode_cryptos if one.name == settings.quick_mode_crypto), None)
        title, description = (DEFAULT_TITLE, "") if named is None else (named.name, named.description)
        self._sets.quick_mode(title, terms.protect, terms.pfs, settings.place, description, default=True)

    def _default_main_mode(self) -> None:
        settings = self._policy.settings
        named = next((one for one in self._policy.main_mode_cryptos if one.name == settings.main_mode_crypto), None)
        title, description = (DEFAULT_TITLE, "") if named is None else (named.name, named.description)
        mode = self._settle.default.main_mode
        if settings.main_mode is None and named is None:
            mode = main_mode_for_windows(mode)
        self._sets.main_mode(title, mode, settings.place, description, default=True)

    def _named_quick_mode(self, name: str) -> str:
        said = self._policy.settings
        if name == said.quick_mode_crypto and not (said.protect or said.lifetime or said.pfs):
            self._default_quick_mode()
            return SHAPES[SetKind.CRYPTO2].default
        one = next(each for each in self._policy.quick_mode_cryptos if each.name == name)
        terms = self._settle.quick_mode(name)
        methods = limited(terms.protect, terms.lifetime)
        if said.require_encryption:
            methods = tuple(method for method in methods if encrypts(method))
        return self._sets.quick_mode(name, methods, terms.pfs, one.place, one.description)

    def _named_main_mode(self, name: str) -> str:
        said = self._policy.settings
        if name == said.main_mode_crypto and said.main_mode is None:
            self._default_main_mode()
            return SHAPES[SetKind.CRYPTO1].default
        one = next(each for each in self._policy.main_mode_cryptos if each.name == name)
        if one.mode.pfs:
            why = "one quick mode for each main mode is said instead"
            self.left.out(one.place, f'main mode crypto "{name}", pfs', why)
        return self._sets.main_mode(name, one.mode, one.place, one.description)

    def _unused(self) -> None:
        """Sets that no rule names."""
        settings = self._policy.settings
        for one in self._policy.auth_sets:
            if one.name != settings.auth_set:
                self._try(one.place, f'auth set "{one.name}"', partial(self._unused_auth, one))
        for main in self._policy.main_mode_cryptos:
            self._try(main.place, f'main mode crypto "{main.name}"', partial(self._named_main_mode, main.name))
        for quick in self._policy.quick_mode_cryptos:
            self._try(quick.place, f'quick mode crypto "{quick.name}"', partial(self._named_quick_mode, quick.name))

    def _unused_auth(self, one: AuthSet) -> None:
        if not self._sets.has(SetKind.AUTH1, one.name):
            self._sets.first(one.name, one.first, one.place, one.description)
            if one.second:
                self.left.out(one.place, f'auth set "{one.name}", second', "no rule names it")
