# SPDX-License-Identifier: Apache-2.0
"""Terms of a policy as the sets of PowerShell scripts, each made once and put in a variable.

A way or a method that Windows does not have is left out of its set, and named; a set that has none left cannot be
written, nor what needs it.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import IkeProposal, Limits, SecurityMethod
from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.terms import (
    Anonymous,
    Auth,
    Certificate,
    Criteria,
    Eap,
    Holder,
    Kerberos,
    MainMode,
    Ntlm,
    PskFile,
    PublicKeys,
    SecondAuth,
    UserKerberos,
    UserNtlm,
)
from ringfence.transfer.base import key_of_file
from ringfence.transfer.powershell.algorithms import group_name, main_mode_words, quick_mode_words
from ringfence.transfer.powershell.auth import AUTHORITY, NAMES, SIGNING
from ringfence.transfer.powershell.values import DEFAULT_NAMES, Kind
from ringfence.transfer.powershell.writing import Left, Words, command, quote, quotes

T = TypeVar("T")
VARIABLES = {Kind.PHASE1: "auth", Kind.PHASE2: "second", Kind.MAIN_MODE_CRYPTO: "main", Kind.QUICK_MODE_CRYPTO: "quick"}
MOST_MINUTES = 2879
PLACEHOLDER = "(put the key here)"
WAYS = {
    Kerberos(): "Machine Kerberos", Ntlm(): "Machine Ntlm", Anonymous(): "Anonymous",
    UserKerberos(): "User Kerberos", UserNtlm(): "User Ntlm",
}  # fmt: skip


class Sets:
    """The sets of one script."""

    def __init__(self, keys: Mapping[str, str], left: Left) -> None:
        self.lines: list[str] = []
        self.defaults: list[Kind] = []
        """The kinds of which the script makes the default set."""
        self._keys = keys
        self._left = left
        self._made: dict[object, str] = {}
        self._counts = dict.fromkeys(VARIABLES, 0)

    def first(
        self, title: str, ways: tuple[Auth, ...], place: Place, description: str = "", *, default: bool = False
    ) -> str:
        """The variable with the phase 1 set of these ways. Raises BadWord."""
        about: Words = [("Description", quote(description))] if description else []
        return self._set(Kind.PHASE1, title, (ways, description, default), about, default,
                         lambda: self._each(title, ways, place, self._way))  # fmt: skip

    def second(self, title: str, ways: tuple[SecondAuth, ...], place: Place, *, default: bool = False) -> str:
        """Likewise of phase 2."""
        return self._set(Kind.PHASE2, title, (ways, default), [], default,
                         lambda: self._each(title, ways, place, self._way))  # fmt: skip

    def main_mode(
        self, title: str, mode: MainMode, place: Place, description: str = "", *, default: bool = False
    ) -> str:
        """The variable with the set of main mode settings. Raises BadWord."""
        minutes, rest = divmod(mode.lifetime_s, 60)
        if rest or not 0 < minutes <= MOST_MINUTES:
            raise BadWord("its main mode lives for a time that Windows does not take", cure="Say 1 to 2879 min.")
        for said, what in (
            (mode.aggressive, "aggressive mode"),
            (mode.xauth, "XAUTH"),
            (mode.reauthenticate_s, "of an age of proofs"),
        ):
            if said:
                raise BadWord(f"it speaks {what}, which Windows does not", cure="Use AuthIP or IKEv2 there.")
        about: Words = [("Description", quote(description))] if description else []
        about += [("MaxMinutes", str(minutes)), ("MaxSessions", str(1 if mode.pfs else mode.sessions))]
        about += [("ForceDiffieHellman", "$true")] if mode.force_dh else []
        return self._set(
            Kind.MAIN_MODE_CRYPTO, title, (mode, description, default), about, default,
            lambda: self._each(title, mode.methods, place, lambda one: list(main_mode_words(one).items())),
        )  # fmt: skip

    def quick_mode(
        self, title: str, methods: tuple[SecurityMethod, ...], pfs: DhGroup | bool, place: Place,
        description: str = "", *, default: bool = False,
    ) -> str:  # fmt: skip
        """The variable with the set of quick mode settings; each method has its lifetime. Raises BadWord."""
        about: Words = [("Description", quote(description))] if description else []
        if pfs:
            about.append(("PerfectForwardSecrecyGroup", "SameAsMainMode" if pfs is True else group_name(DhGroup(pfs))))
        return self._set(
            Kind.QUICK_MODE_CRYPTO, title, (methods, pfs, description, default), about, default,
            lambda: self._each(title, methods, place, lambda one: list(quick_mode_words(one).items())),
        )  # fmt: skip

    def _set(
        self, kind: Kind, title: str, key: object, about: Words, default: bool,
        proposals: Callable[[], list[Words]],
    ) -> str:  # fmt: skip
        known = self._made.get((kind, title, key))
        if known is not None:
            return known
        found = proposals()
        if not found:
            raise BadWord(f'of "{title}" nothing is left that Windows has')
        self._counts[kind] += 1
        variable = f"${VARIABLES[kind]}{self._counts[kind]}"
        noun = kind.value.removesuffix("Phase1AuthSet").removesuffix("Phase2AuthSet").removesuffix("Set")
        maker = "New-NetIPsecAuthProposal" if kind in (Kind.PHASE1, Kind.PHASE2) else f"New-{noun}Proposal"
        words: Words = [("DisplayName", quote(title)), ("Group", "$group"), *about]
        words += [("Default", "")] if default else []
        inner = "\n".join(command(maker, one, indent="    ") for one in found)
        self.lines.append(f"{command(f'{variable} = New-{kind.value}', [*words, ('Proposal', '@(')])}\n{inner}\n)")
        if default:
            self.defaults.append(kind)
        self._made[kind, title, key] = variable
        return variable

    def _each(self, title: str, items: tuple[T, ...], place: Place, write: Callable[[T], Words]) -> list[Words]:
        found: list[Words] = []
        for one in items:
            try:
                found.append(write(one))
            except BadWord as error:
                self._left.out(place, f'"{title}": {one}', error.why, error.cure)
        return found

    def _way(self, way: Auth | SecondAuth) -> Words:
        if isinstance(way, PskFile):
            return [("Machine", ""), ("PreSharedKey", quote(self._key(way.file)))]
        if isinstance(way, Certificate):
            return _certificate(way)
        if isinstance(way, Eap):
            raise BadWord("Windows lets nobody in by EAP in its connection security rules")
        if isinstance(way, PublicKeys):
            raise BadWord("Windows knows no public keys without certificates")
        return [(word, "") for word in WAYS[way].split()]

    def _key(self, file: str) -> str:
        text = self._keys.get(file)
        if text is None:
            self._left.out(Place(), file, "its key is not at hand, and a placeholder stands for it")
            return PLACEHOLDER
        key = key_of_file(text)
        if key is None:
            raise BadWord("its octets are no text, and Windows takes a text only")
        return key

    def cleaning(self) -> list[str]:
        """What removes the default sets that are there."""
        return [
            f"Remove-{kind.value} -Name {quote(DEFAULT_NAMES[kind])} -ErrorAction SilentlyContinue"
            for kind in self.defaults
        ]  # fmt: skip


def _certificate(way: Certificate) -> Words:
    if way.signing not in SIGNING.values():
        raise BadWord(f"Windows has no certificates with keys of kind {way.signing.value} here")
    words: Words = [("User" if way.holder is Holder.USER else "Machine", ""), ("Cert", "")]
    words.append(("Authority", quote(way.authority)))
    words.append(("AuthorityType", next(name for name, kind in AUTHORITY.items() if kind is way.kind)))
    words.append(("Signing", next(name for name, one in SIGNING.items() if one is way.signing)))
    switches = {
        "Health": way.health, "AccountMapping": way.mapping, "ExcludeCAName": way.exclude_ca_name,
        "FollowRenewal": way.follow_renewal, "SelectionCriteria": way.criteria is Criteria.SELECT,
        "ValidationCriteria": way.criteria is Criteria.VALIDATE,
    }  # fmt: skip
    words += [(name, "") for name, said in switches.items() if said]
    if way.eku:
        words.append(("ExtendedKeyUsage", quotes(way.eku)))
    if way.name_kind is not None:
        kind = next(name for name, one in NAMES.items() if one is way.name_kind)
        words += [("SubjectName", quote(way.name)), ("SubjectNameType", kind)]
    return [*words, ("Thumbprint", quote(way.hash))] if way.hash else words


def limited(methods: tuple[SecurityMethod, ...], lifetime: Limits) -> tuple[SecurityMethod, ...]:
    """The methods, each with a lifetime."""
    return tuple(
        one if one.limits != Limits() else SecurityMethod(one.transforms, lifetime, one.encapsulate) for one in methods
    )


def windows_has(method: IkeProposal) -> bool:
    """Whether Windows has a main mode method."""
    try:
        return bool(main_mode_words(method))
    except BadWord:
        return False
