# SPDX-License-Identifier: Apache-2.0
"""The policies of several stores become the one that holds: the resultant policy.

Rules, filters and sets come together from all stores; of two with one name the store of higher precedence has its way,
as with each setting for all rules. An IPsec policy is whole and does not merge: that of the highest store is assigned,
and the persistent store's stays beneath it, as on Windows. The default exemptions are the computer's, so both have the
same: the persistent store's where it says them. What is set aside is kept, with the reason, for whoever asks why it
does not hold.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from ringfence.place import NOWHERE, Place
from ringfence.policy.boot import BootSettings
from ringfence.policy.model import Policy
from ringfence.policy.networks import NO_PROFILES, Profiles
from ringfence.policy.terms import GlobalSettings
from ringfence.policy.windows import IpsecPolicy

PERSISTENT, DIRECTORY, GROUP_POLICY, DYNAMIC, LOCAL = "persistent", "directory", "group-policy", "dynamic", "local"
PRECEDENCE = (PERSISTENT, DIRECTORY, GROUP_POLICY, DYNAMIC, LOCAL)
"""Stores, the highest first."""


SETTINGS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("exempt",), ("exempt",)),
    (("idle-time",), ("idle_s",)),
    (("psk-encoding",), ("psk_encoding",)),
    (("crl-check",), ("crl_check",)),
    (("nat",), ("through_nat",)),
    (("masqueraded",), ("masqueraded",)),
    (("dead-peer",), ("dead_peer",)),
    (("fragmentation",), ("fragmentation",)),
    (("auth", "auth-set", "second-auth"), ("auth", "auth_set", "second_auth")),
    (
        ("protect", "lifetime", "pfs", "quick-mode-crypto"),
        ("protect", "lifetime", "pfs", "quick_mode_crypto"),
    ),
    (("main-mode", "main-mode-crypto"), ("main_mode", "main_mode_crypto")),
    (("require-encryption",), ("require_encryption",)),
    (("local-rules",), ("local_rules",)),
    (("tunnel-authorization",), ("tunnel_allow", "tunnel_deny")),
    (("transport-authorization",), ("transport_allow", "transport_deny")),
    (("legacy",), ("legacy",)),
)
"""Settings of ``[global]`` that go together, and the fields where they are: who says one of them says all."""
BOOT = {"mode": "mode", "exempt": "exempt", "after-stop": "after_stop"}
"""Those of ``[boot]``, likewise; each counts for itself."""
DEFAULT_EXEMPT = "no-default-exempt"
"""The setting of an IPsec policy that is one for the computer."""


@dataclass(frozen=True, slots=True)
class Given:
    """What one store has."""

    store: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something that a store says and that does not hold."""

    what: str
    """Such as ``rule "lab is isolated"``."""
    place: Place
    store: str
    why: str
    """Such as ``the persistent store has a rule of this name``."""
    winner: Place = NOWHERE
    """What holds instead, or forbids it."""

    def __str__(self) -> str:
        place = f" ({self.winner})" if self.winner else ""
        return f"{self.what} {self.place}: {self.why}{place}"


@dataclass(frozen=True, slots=True)
class Resultant:
    """The policy that holds, and what does not."""

    policy: Policy
    set_aside: tuple[SetAside, ...] = ()


class Named(Protocol):
    """What every member of a policy has."""

    @property
    def name(self) -> str:
        """Unique among its kind."""

    @property
    def place(self) -> Place:
        """Where it is written."""


N = TypeVar("N", bound=Named)


def rank(store: str) -> int:
    """The place of a store in the order of precedence; one without a place comes last."""
    return PRECEDENCE.index(store) if store in PRECEDENCE else len(PRECEDENCE)


def resultant(given: Iterable[Given]) -> Resultant:
    """What ``given`` amounts to, in whatever order it is given."""
    ordered = sorted(given, key=lambda one: rank(one.store))
    if not ordered:
        return Resultant(Policy())
    if len(ordered) == 1:
        return Resultant(ordered[0].policy)
    merge = _Merge(ordered)
    policy = merge.policy()
    return Resultant(policy, tuple(merge.set_aside))


class _Merge:
    def __init__(self, given: Sequence[Given]) -> None:
        self._given = given
        self._taken: dict[tuple[str, str], tuple[str, str, Place]] = {}
        """By what a name is unique among and the name: the store, kind and place of who has it."""
        self.set_aside: list[SetAside] = []

    def policy(self) -> Policy:
        """The resultant one; it bears the name of the lowest store's, which is the computer's own."""
        assigned, persistent = self._ipsec()
        holding, beneath = self._exempt(assigned, persistent)
        # The assigned policy means the lists and actions of its own store.
        own_first = sorted(self._given, key=lambda one: one is not assigned)
        heard = [*self._heard()]
        return replace(
            self._given[-1].policy,
            rules=self._together(heard, "rule", lambda policy: policy.rules, "statement"),
            filters=self._together(heard, "filter", lambda policy: policy.filters, "statement"),
            # Lists of packet filters only ever take away, so no store can forbid those of another.
            packet_filters=self._together(
                self._given, "packet filter", lambda policy: policy.packet_filters, "statement"
            ),
            main_modes=self._together(heard, "main mode rule", lambda policy: policy.main_modes),
            certificates=self._together(self._given, "certificate", lambda policy: policy.certificates),
            authorities=self._together(self._given, "authority", lambda policy: policy.authorities),
            pools=self._together(self._given, "pool", lambda policy: policy.pools),
            radius=self._together(self._given, "RADIUS server", lambda policy: policy.radius),
            auth_sets=self._together(self._given, "auth set", lambda policy: policy.auth_sets),
            main_mode_cryptos=self._together(
                self._given, "main mode crypto set", lambda policy: policy.main_mode_cryptos
            ),
            quick_mode_cryptos=self._together(
                self._given, "quick mode crypto set", lambda policy: policy.quick_mode_cryptos
            ),
            settings=self._settings(),
            boot=self._boot(),
            profiles=self._profiles(),
            filter_lists=self._together(own_first, "filter list", lambda policy: policy.filter_lists),
            filter_actions=self._together(own_first, "filter action", lambda policy: policy.filter_actions),
            ipsec=holding,
            unassigned=tuple(self._unassigned(None if assigned is None else assigned.policy.ipsec)),
            beneath=None if persistent is None else _only_ipsec(persistent.policy, beneath),
        )

    def _together(
        self, given: Iterable[Given], kind: str, pick: Callable[[Policy], tuple[N, ...]], among: str = ""
    ) -> tuple[N, ...]:
        """The members of all stores, but for those whose name is taken."""
        found: list[N] = []
        for one in given:
            for member in pick(one.policy):
                taken = self._taken.setdefault((among or kind, member.name), (one.store, kind, member.place))
                if taken[0] == one.store:
                    found.append(member)
                else:
                    what = f'{kind} "{member.name}"'
                    why = f"the {taken[0]} store has a {taken[1]} of this name"
                    self.set_aside.append(SetAside(what, member.place, one.store, why, taken[2]))
        return tuple(found)

    def _heard(self) -> Iterator[Given]:
        """The stores whose rules count: all down to one that says ``local-rules = false``."""
        strict: Given | None = None
        for one in self._given:
            if strict is None:
                yield one
                strict = None if one.policy.settings.local_rules else one
                continue
            place = strict.policy.settings.places.get("local-rules", NOWHERE)
            why = f"the {strict.store} store says local-rules = false"
            for kind, members in (
                ("rule", one.policy.rules), ("filter", one.policy.filters), ("main mode rule", one.policy.main_modes),
            ):  # fmt: skip
                for member in members:
                    self.set_aside.append(SetAside(f'{kind} "{member.name}"', member.place, one.store, why, place))

    def _settings(self) -> GlobalSettings:
        """``[global]``, each setting as the highest store has it that says it."""
        found, places = GlobalSettings(), dict[str, Place]()
        for names, values in SETTINGS:
            saying = [one for one in self._given if any(name in one.policy.settings.places for name in names)]
            if not saying:
                continue
            winner = saying[0].policy.settings
            found = replace(found, **{value: getattr(winner, value) for value in values})
            said = {name: place for name, place in winner.places.items() if name.partition(".")[0] in names}
            places |= said
            for one in saying[1:]:
                for name in names:
                    if (place := one.policy.settings.places.get(name)) is not None:
                        why = f"the {saying[0].store} store says {_either(said)}"
                        at = said.get(name, next(iter(said.values())))
                        self.set_aside.append(SetAside(f"global {name}", place, one.store, why, at))
        heads = [one.policy.settings.place for one in self._given if one.policy.settings.place]
        return replace(found, place=heads[0] if heads else NOWHERE, places=places)

    def _boot(self) -> BootSettings:
        """``[boot]``, each setting as the highest store has it that says it."""
        found, places = BootSettings(), dict[str, Place]()
        for name, value in BOOT.items():
            saying = [one for one in self._given if name in one.policy.boot.places]
            for winner in saying[:1]:
                found = replace(found, **{value: getattr(winner.policy.boot, value)})
                places[name] = winner.policy.boot.places[name]
            for one in saying[1:]:
                why = f"the {saying[0].store} store says {name}"
                place = one.policy.boot.places[name]
                self.set_aside.append(SetAside(f"boot {name}", place, one.store, why, places[name]))
        heads = [one.policy.boot.place for one in self._given if one.policy.boot.place]
        return replace(found, place=heads[0] if heads else NOWHERE, places=places)

    def _profiles(self) -> Profiles:
        """Which networks are which: as the highest store has it that says anything of it."""
        saying = [one for one in self._given if one.policy.profiles.place]
        for one in saying[1:]:
            why = f"the {saying[0].store} store says which networks are which"
            place, winner = one.policy.profiles.place, saying[0].policy.profiles.place
            self.set_aside.append(SetAside("profile", place, one.store, why, winner))
        return saying[0].policy.profiles if saying else NO_PROFILES

    def _ipsec(self) -> tuple[Given | None, Given | None]:
        """The store whose IPsec policy is assigned, and the persistent one if its policy stays beneath."""
        having = [one for one in self._given if one.policy.ipsec is not None]
        persistent = next((one for one in having if one.store == PERSISTENT), None)
        others = [one for one in having if one is not persistent]
        for one in others[1:]:
            self._lost(one, others[0])
        if not others:
            return persistent, None
        return others[0], persistent

    def _exempt(
        self, assigned: Given | None, persistent: Given | None
    ) -> tuple[IpsecPolicy | None, IpsecPolicy | None]:  # fmt: skip
        """The two IPsec policies that hold, with what both exempt."""
        over = None if assigned is None else assigned.policy.ipsec
        under = None if persistent is None else persistent.policy.ipsec
        if assigned is None or persistent is None or over is None or under is None:
            return over, under
        said, place = under.places.get(DEFAULT_EXEMPT), over.places.get(DEFAULT_EXEMPT)
        if said is None:
            return over, _exempting(under, over)
        if place is not None:
            why = f"the {persistent.store} store says it, and it is one for the computer"
            self.set_aside.append(SetAside(DEFAULT_EXEMPT, place, assigned.store, why, said))
        return _exempting(over, under), under

    def _unassigned(self, assigned: IpsecPolicy | None) -> Iterator[IpsecPolicy]:
        """What could be assigned: those of all stores, but for those whose name is taken."""
        taken = {} if assigned is None else {assigned.title: assigned.place}
        for one in self._given:
            for policy in one.policy.unassigned:
                if policy.title in taken:
                    why = "another store has an IPsec policy of this name"
                    aside = SetAside(f'policy "{policy.title}"', policy.place, one.store, why, taken[policy.title])
                    self.set_aside.append(aside)
                else:
                    taken[policy.title] = policy.place
                    yield policy

    def _lost(self, loser: Given, winner: Given) -> None:
        lost, won = loser.policy.ipsec, winner.policy.ipsec
        if lost is not None and won is not None:
            why = f'IPsec policies do not merge, and the {winner.store} store assigns "{won.title}"'
            self.set_aside.append(SetAside(f'policy "{lost.title}"', lost.place, loser.store, why, won.place))


def _either(said: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(name.partition(".")[0] for name in said))


def _exempting(policy: IpsecPolicy, by: IpsecPolicy) -> IpsecPolicy:
    """A policy with what the other exempts, and where that is said."""
    places = {name: place for name, place in policy.places.items() if name != DEFAULT_EXEMPT}
    said = by.places.get(DEFAULT_EXEMPT)
    return replace(policy, exempt=by.exempt, places=places if said is None else {**places, DEFAULT_EXEMPT: said})


def _only_ipsec(policy: Policy, ipsec: IpsecPolicy | None) -> Policy:
    return Policy(name=policy.name, ipsec=ipsec, filter_lists=policy.filter_lists, filter_actions=policy.filter_actions)
