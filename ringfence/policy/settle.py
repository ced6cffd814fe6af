# SPDX-License-Identifier: Apache-2.0
"""What a rule does not say itself: its sets of terms say it, else ``[global]``, else it is as Ringfence would choose.

A set is whole: what it does not say has Ringfence's default, not that of ``[global]``. A rule's own settings stand for
themselves: one that only says its lifetime has the methods of ``[global]``, with that lifetime. Who says the first
authentication says whether there is a second one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ringfence.crypto.suites import READABLE, DhGroup
from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.policy.model import MainModeRule, Policy, Rule
from ringfence.policy.pools import settled
from ringfence.policy.terms import (
    PROTECT,
    QUICK_MODE_LIMITS,
    Auth,
    AuthSet,
    GlobalSettings,
    MainMode,
    MainModeCrypto,
    QuickModeCrypto,
    SecondAuth,
)

T = TypeVar("T", AuthSet, MainModeCrypto, QuickModeCrypto)
NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rule agrees to."""

    auth: tuple[Auth, ...] = ()
    second_auth: tuple[SecondAuth, ...] = ()
    protect: tuple[SecurityMethod, ...] = PROTECT
    lifetime: Limits = QUICK_MODE_LIMITS
    pfs: DhGroup | bool = False
    main_mode: MainMode = field(default_factory=MainMode)


class Settler:
    """Settles the rules of one policy."""

    def __init__(self, policy: Policy) -> None:
        self._auth_sets = {one.name: one for one in policy.auth_sets}
        self._main_modes = {one.name: one for one in policy.main_mode_cryptos}
        self._quick_modes = {one.name: one for one in policy.quick_mode_cryptos}
        self._pools = {one.name: one for one in policy.pools}
        self._settings = policy.settings
        self.default = self._default(policy.settings)
        """The terms of a rule that says nothing."""
        self._limited: dict[tuple[tuple[SecurityMethod, ...], Limits], tuple[SecurityMethod, ...]] = {}

    def rule(self, rule: Rule) -> Rule:
        """The same with all its terms, and with the addresses that one end has by assignment."""
        rule = settled(rule, self._pools)
        if rule.secure.exempt:
            return rule
        terms = self.terms(rule)
        return replace(
            rule, auth=terms.auth, second_auth=terms.second_auth, protect=terms.protect, lifetime=terms.lifetime,
            pfs=terms.pfs, main_mode=terms.main_mode,
        )  # fmt: skip

    def terms(self, rule: Rule) -> Terms:
        """What a rule agrees to."""
        auth, second = self._proofs(rule, self.default)
        crypto = self._quick_mode(rule)
        protect = self._limit(crypto.protect, crypto.lifetime)
        return Terms(auth, second, protect, crypto.lifetime, crypto.pfs, rule.main_mode or self.default.main_mode)

    def main_mode(self, rule: MainModeRule) -> tuple[tuple[Auth, ...], MainMode]:
        """How main mode goes by a main mode rule; without authentication: as each connection security rule has it."""
        auth = rule.auth or _of(self._auth_sets, rule.auth_set, AuthSet("")).first
        crypto = self._main_modes.get(rule.main_mode_crypto)
        return auth, rule.main_mode or (crypto.mode if crypto is not None else self.default.main_mode)

    def _default(self, settings: GlobalSettings) -> Terms:
        auth, second = self._proofs(settings, Terms())
        crypto = _of(self._quick_modes, settings.quick_mode_crypto, QuickModeCrypto(""))
        mode = settings.main_mode or _of(self._main_modes, settings.main_mode_crypto, MainModeCrypto("")).mode
        return Terms(
            auth,
            second,
            settings.protect or crypto.protect or PROTECT,
            settings.lifetime or crypto.lifetime or QUICK_MODE_LIMITS,
            settings.pfs or crypto.pfs,
            mode,
        )

    def _proofs(self, said: Rule | GlobalSettings, default: Terms) -> tuple[tuple[Auth, ...], tuple[SecondAuth, ...]]:
        if not said.auth and not said.auth_set:
            return default.auth, said.second_auth or default.second_auth
        found = _of(self._auth_sets, said.auth_set, AuthSet(""))
        return said.auth or found.first, said.second_auth or found.second

    def quick_mode(self, name: str) -> Terms:
        """What a set of quick mode settings comes to."""
        found = _of(self._quick_modes, name, QuickModeCrypto(""))
        return Terms(protect=found.protect or PROTECT, lifetime=found.lifetime or QUICK_MODE_LIMITS, pfs=found.pfs)

    def _quick_mode(self, rule: Rule) -> Terms:
        if rule.quick_mode_crypto:
            return self.quick_mode(rule.quick_mode_crypto)
        return Terms(
            protect=rule.protect or self.default.protect,
            lifetime=rule.lifetime or self.default.lifetime,
            pfs=self.default.pfs if rule.pfs is None else rule.pfs,
        )

    def _limit(self, protect: tuple[SecurityMethod, ...], lifetime: Limits) -> tuple[SecurityMethod, ...]:
        """The methods, each with a lifetime; if encryption is required for all, only those that encrypt."""
        found = self._limited.get((protect, lifetime))
        if found is None:
            found = tuple(
                method if method.limits != NO_LIMITS else replace(method, limits=lifetime)
                for method in protect
                if encrypts(method) or not self._settings.require_encryption
            )
            self._limited[protect, lifetime] = found
        return found


def encrypts(method: SecurityMethod) -> bool:
    """Whether nobody on the way can read what it protects."""
    ciphers = [transform.cipher for transform in method.transforms if transform.cipher is not None]
    return method.encapsulate and any(cipher.algorithm not in READABLE for cipher in ciphers)


def _of(sets: Mapping[str, T], name: str, default: T) -> T:
    return sets.get(name, default)
