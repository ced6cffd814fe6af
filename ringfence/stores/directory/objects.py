# SPDX-License-Identifier: Apache-2.0
"""Objects of a directory as values: names, attributes, references ([MS-GPIPSEC] §2.2.1, RFC 4514).

Names of attributes and DNs compare without regard to case. A reference is a DN; the directory keeps none of them whole
by itself, so each may lead nowhere or one way only.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Self

from ringfence.place import Place
from ringfence.policy.resultant import DIRECTORY

COMMA = re.compile(r"(?<!\\)(?:\\\\)*[,;]")
CONTAINER = "CN=IP Security,CN=System"
"""Where the objects are, below the domain."""


class Class(Enum):
    """The five kinds of object; the value is the object class."""

    POLICY = "ipsecPolicy"
    ISAKMP = "ipsecISAKMPPolicy"
    """Key exchange settings."""
    NFA = "ipsecNFA"
    """A rule: it brings a filter list and a filter action together."""
    FILTER = "ipsecFilter"
    """A filter list."""
    NEGOTIATION = "ipsecNegotiationPolicy"
    """A filter action."""


BLOCK = "{3F91A819-7647-11D1-864D-D46A00000000}"
PERMIT = "{8A171DD2-77E3-11D1-8659-A04F00000000}"
SECURE = "{8A171DD3-77E3-11D1-8659-A04F00000000}"
PASS_THROUGH = "{3F91A81A-7647-11D1-864D-D46A00000000}"  # noqa: S105 - a GUID
"""Secure, but what comes in clear is accepted."""
STANDARD = "{62F49E10-6C37-11D1-864C-14A300000000}"
DEFAULT_RESPONSE = "{62F49E13-6C37-11D1-864C-14A300000000}"


def parts(dn: str) -> list[str]:
    """The RDNs of a DN, from the object upward, in the form in which they compare."""
    ends = [match.end() for match in COMMA.finditer(dn)]
    found = [dn[begin:end].rstrip(",;") for begin, end in zip([0, *ends], [*ends, len(dn)], strict=True)]
    if found == [""]:
        return []
    return ["=".join(side.strip() for side in one.partition("=")[::2]).lower() for one in found]


@lru_cache(maxsize=4096)
def key(dn: str) -> str:
    """A DN in the form in which DNs compare."""
    return ",".join(parts(dn))


def below(dn: str, base: str) -> bool:
    """Whether an object is ``base`` or somewhere below it."""
    inner, outer = parts(dn), parts(base)
    return inner[len(inner) - len(outer) :] == outer if len(outer) <= len(inner) else False


@dataclass(frozen=True, slots=True)
class Entry:
    """One object."""

    dn: str
    values: Mapping[str, tuple[bytes, ...]]
    """By the attribute's name in lower case."""

    @classmethod
    def of(cls, dn: str, attributes: Mapping[str, Iterable[bytes]]) -> Self:
        """An object with attributes as a server gives them."""
        return cls(dn, {name.lower(): tuple(values) for name, values in attributes.items()})

    @property
    def name(self) -> str:
        """Its own, without the container: ``ipsecNFA{72385232-70FA-11D1-864C-14A300000000}``."""
        first = COMMA.split(self.dn, maxsplit=1)[0]
        return first.partition("=")[2].strip()

    @property
    def place(self) -> Place:
        """Where what it says is written."""
        return Place(self.name, store=DIRECTORY)

    @property
    def guid(self) -> str:
        """That of its name, else of ``ipsecID``; empty where it has none."""
        begin = self.name.find("{")
        return self.name[begin:] if begin >= 0 else self.text("ipsecID")

    def octets(self, attribute: str) -> bytes | None:
        """The first value of an attribute; None where it has none."""
        found = self.values.get(attribute.lower(), ())
        return found[0] if found else None

    def text(self, attribute: str) -> str:
        """The first value as text; empty where it has none."""
        return (self.octets(attribute) or b"").decode("utf-8", "replace")

    def texts(self, attribute: str) -> tuple[str, ...]:
        """All values as text."""
        return tuple(one.decode("utf-8", "replace") for one in self.values.get(attribute.lower(), ()))

    def is_a(self, kind: Class) -> bool:
        """Whether it is of this class."""
        return kind.value.lower() in [one.lower() for one in self.texts("objectClass")]


class Catalogue:
    """Objects by their DNs."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = {key(entry.dn): entry for entry in entries}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def get(self, dn: str) -> Entry | None:
        """The object called so."""
        return self._entries.get(key(dn))

    def of_class(self, kind: Class) -> list[Entry]:
        """All of one class, sorted by name."""
        return sorted((one for one in self if one.is_a(kind)), key=lambda one: one.name.lower())


REFERENCES: Mapping[Class, Mapping[str, Class]] = {
    Class.POLICY: {"ipsecISAKMPReference": Class.ISAKMP, "ipsecNFAReference": Class.NFA},
    Class.NFA: {"ipsecFilterReference": Class.FILTER, "ipsecNegotiationPolicyReference": Class.NEGOTIATION},
    Class.ISAKMP: {}, Class.FILTER: {}, Class.NEGOTIATION: {},
}  # fmt: skip
"""What objects of each class refer to, and by which attribute; ``ipsecOwnersReference`` leads back."""
OWNERS = "ipsecOwnersReference"


def closure(policy: Entry, catalogue: Catalogue) -> tuple[Entry, ...]:
    """The object of a policy and all that belongs to it."""
    found = {key(policy.dn): policy}
    waiting = [(policy, Class.POLICY)]
    while waiting:
        entry, kind = waiting.pop()
        for attribute, target in REFERENCES[kind].items():
            for dn in entry.texts(attribute):
                inner = catalogue.get(dn)
                if inner is not None and key(dn) not in found:
                    found[key(dn)] = inner
                    waiting.append((inner, target))
    return tuple(found.values())


def broken(catalogue: Catalogue) -> Iterator[tuple[Entry, str]]:
    """References that lead nowhere, or one way only: the object, and what is wrong (Windows: policy integrity)."""
    for kind, attributes in REFERENCES.items():
        for entry in catalogue.of_class(kind):
            for attribute in attributes:
                for dn in entry.texts(attribute):
                    target = catalogue.get(dn)
                    if target is None:
                        yield entry, f"{attribute} names {dn}, and there is no such object"
                    elif key(entry.dn) not in map(key, target.texts(OWNERS)):
                        yield entry, f"{attribute} names {target.name}, whose {OWNERS} does not name it"
    for entry in catalogue:
        yield from _strangers(entry, catalogue)


def _strangers(entry: Entry, catalogue: Catalogue) -> Iterator[tuple[Entry, str]]:
    """Owners that do not own."""
    for dn in entry.texts(OWNERS):
        owner = catalogue.get(dn)
        if owner is None:
            yield entry, f"{OWNERS} names {dn}, and there is no such object"
        elif not any(
            key(entry.dn) == key(one)
            for attributes in REFERENCES.values()
            for attribute in attributes
            for one in owner.texts(attribute)
        ):
            yield entry, f"{OWNERS} names {owner.name}, which does not refer to it"
