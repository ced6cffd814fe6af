# SPDX-License-Identifier: Apache-2.0
"""The firewall and connection security rules of Group Policy objects as a policy ([MS-GPFAS]).

The objects are applied to a registry as Windows does it, from the lowest precedence to the highest; what stands there
then is carried over, each part with the object that it is from. What Windows has by default where nothing is said is
written only where it means the same here: authentication by the computer's account. Windows' default methods are weak
ones, so Ringfence's own take their place, and a note says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.place import Place
from ringfence.policy.errors import Finding
from ringfence.policy.model import Policy
from ringfence.transfer.base import Imported, ImportFailed, KeyFiles
from ringfence.transfer.grouppolicy import preg
from ringfence.transfer.grouppolicy.filters import Filters
from ringfence.transfer.grouppolicy.registry import Registry
from ringfence.transfer.grouppolicy.report import Report
from ringfence.transfer.grouppolicy.rules import Rules
from ringfence.transfer.grouppolicy.sets import BASE, SetSaid, read_sets
from ringfence.transfer.grouppolicy.settings import Settings, with_kerberos
from ringfence.transfer.grouppolicy.sound import sound
from ringfence.transfer.grouppolicy.terms import Names, Terms
from ringfence.wire import DecodeError

CURE = "It is in a Group Policy object, or its backup: DomainSysvol/GPO/Machine/registry.pol"
KERBEROS = "rules with the default authentication"
DEFAULT_METHODS = "rules with the default quick mode"


@dataclass(frozen=True, slots=True)
class Source:
    """The registry.pol of one Group Policy object."""

    name: str
    """The object's; or the file's."""
    octets: bytes


def guess(text: str, _: str) -> int:
    """More than any script has lines, for what begins as such a file does."""
    return 1_000_000 if text.startswith("PReg") else 0


def read_file(octets: bytes, name: str) -> Imported:
    """The policy in one registry.pol; raises ImportFailed for what is none."""
    return read_objects([Source(name, octets)])


def read_objects(sources: Iterable[Source]) -> Imported:
    """The policy that several objects come to, the one with the lowest precedence first; raises ImportFailed."""
    registry, name = Registry(), "registry.pol"
    for source in sources:
        name = source.name
        try:
            registry.apply(preg.decode(source.octets), source.name)
        except DecodeError as error:
            raise ImportFailed([Finding(f"it cannot be read: {error}.", Place(source.name), cure=CURE)]) from error
    return read_registry(registry, name)


def read_registry(registry: Registry, name: str) -> Imported:
    """The policy in a registry; ``name`` is for what belongs to no object."""
    keys = KeyFiles()
    report = Report(name, keys)
    sets: list[SetSaid] = []
    for one in read_sets(registry):
        if isinstance(one, SetSaid):
            sets.append(one)
        else:
            report.leave(report.place(one[1], one[0]), "a set", one[2])
    terms = Terms(sets, report, keys)
    policy = sound(_policy(registry, terms, report), report)
    _tell_rest(registry, report)
    return Imported(policy, keys.secrets(policy.key_files), report.left_out, report.notes)


def _policy(registry: Registry, terms: Terms, report: Report) -> Policy:
    names = Names()
    made = Rules(terms, report, names)
    rules = made.rules(registry.values(f"{BASE}\\ConSecRules").values())
    settings = Settings(registry, report).read(terms)
    main_modes = made.main_modes(registry.values(f"{BASE}\\MainModeRules").values())
    filters = Filters(report, names).filters(registry.values(f"{BASE}\\FirewallRules").values())
    terms.unused()
    if made.kerberos and not settings.auth_set:
        settings = with_kerberos(settings)
        report.note(report.place(""), KERBEROS, "the computer's account proves who it is (Kerberos), as in Windows")
    if made.crypto:
        report.note(
            report.place(""), DEFAULT_METHODS, "Ringfence's own methods take the place of Windows' default ones"
        )
    return Policy(
        rules=rules,
        filters=filters,
        settings=settings,
        main_modes=main_modes,
        auth_sets=terms.auth_sets,
        main_mode_cryptos=terms.main_mode_cryptos,
        quick_mode_cryptos=terms.quick_mode_cryptos,
    )


def _tell_rest(registry: Registry, report: Report) -> None:
    """What one object takes from another, directives that are not known, and what is about other things."""
    base = f"{BASE}\\".lower()
    for lost in registry.overridden:
        path = lost.entry.path
        if path.lower().startswith(base) and lost.entry.origin != lost.by.origin:
            place = report.place(lost.entry.origin, path[len(base) :])
            report.note(place, lost.entry.instruction.value, f'"{lost.by.origin}" has precedence, and says otherwise')
    for entry in registry.unknown:
        if f"{entry.instruction.key}\\".lower().startswith(base):
            place = report.place(entry.origin, entry.path[len(base) :])
            report.leave(place, entry.instruction.value, "it is a directive that is not known here")
    others = sum(not f"{entry.instruction.key}\\".lower().startswith(base) for entry in registry)
    if others:
        settings = "1 setting" if others == 1 else f"{others} settings"
        report.note(report.place(""), settings, "they are about other things than Windows' firewall and IPsec")
