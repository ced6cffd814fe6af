# SPDX-License-Identifier: Apache-2.0
"""Ways to authenticate as a document says them, and which of them go together.

A word (``"kerberos"``) or a table (``{ psk-file = "lab.psk" }``), or a list of these in order of preference. What
cannot be together is as on Windows: one preshared key at most, none beside NTLM and none before a second
authentication; certificates that sign alike stand together; a health certificate is the only second authentication,
unless that is optional.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from ringfence.policy.able import KEY_CURE
from ringfence.policy.decode import SECRETS, Table
from ringfence.policy.eap import decode_eap
from ringfence.policy.errors import BadWord
from ringfence.policy.rawkeys import decode_public
from ringfence.policy.source import Steps
from ringfence.policy.terms import (
    Anonymous,
    Auth,
    AuthorityKind,
    Certificate,
    Criteria,
    Eap,
    Holder,
    Kerberos,
    NameKind,
    Ntlm,
    PpkFile,
    PskFile,
    PublicKeys,
    SecondAuth,
    Signing,
    UserKerberos,
    UserNtlm,
)

T = TypeVar("T")

AUTH_CURE = KEY_CURE
FIRST: dict[str, Auth] = {"kerberos": Kerberos(), "ntlm": Ntlm(), "anonymous": Anonymous()}
SECOND: dict[str, SecondAuth] = {
    "user-kerberos": UserKerberos(), "user-ntlm": UserNtlm(), "anonymous": Anonymous()
}  # fmt: skip
SECOND_CURE = (
    'Second authentication is "user-kerberos", "user-ntlm", { user-certificate = "CN=Corp Root CA" }, '
    '{ eap = "mschapv2", … }, { health-certificate = "CN=Corp Root CA" }, and "anonymous" where it is optional.'
)
OID = re.compile(r"[0-2](?:\.(?:0|[1-9]\d{0,9})){1,20}", re.ASCII)


def decode_auth(table: Table, key: str = "auth", *, together: bool = True) -> tuple[Auth, ...]:
    """First authentication: one way or a list of them; empty when none is said.

    ``together``: whether they have to go together as in a connection security rule.
    """
    found = _decode(table, key, FIRST, SECOND, _first, AUTH_CURE)
    if together:
        _check_first(table, key, found)
    return found


def decode_second(table: Table, key: str = "second-auth") -> tuple[SecondAuth, ...]:
    """Second authentication, likewise."""
    found = _decode(table, key, SECOND, FIRST, _second, SECOND_CURE)
    _check_second(table, key, found)
    return found


def _decode(
    table: Table, key: str, words: dict[str, T], others: dict[str, object] | dict[str, Auth] | dict[str, SecondAuth],
    inner: Callable[[Table, str, dict[str, object], Steps], list[T]], cure: str,
) -> tuple[T, ...]:  # fmt: skip
    value = table.raw(key)
    if value is None:
        return ()
    if value == []:
        table.complain(key, "is an empty list", cure=cure)
    found: list[T] = []
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        at = (number,) if isinstance(value, list) else ()
        if isinstance(item, str) and item in words:
            found.append(words[item])
        elif isinstance(item, str) and item in others:
            which = "first" if others is FIRST else "second"
            table.complain(key, f'names "{item}", which is a way for the {which} authentication', cure=cure, at=at)
        elif not isinstance(item, dict):
            table.complain(key, "names no way to authenticate", cure=cure, at=at)
        else:
            found += inner(table, key, item, at)
    return tuple(found)


def _first(table: Table, key: str, item: dict[str, object], at: Steps) -> list[Auth]:
    """``{ psk-file = "lab.psk" }`` or ``{ certificate = "CN=Corp Root CA", … }``."""
    inner = table.inner(key, item, at)
    if any(one in SECRETS for one in item):
        inner.seen.update(one for one in item if one not in SECRETS)
        inner.finish()
        return []
    if inner.has("eap"):
        return [decode_eap(inner, _of_gateway)]
    if inner.has("public-key") or inner.has("key-file"):
        known = decode_public(inner, own=key == "own-auth")
        return [] if known is None else [known]
    file, authority = inner.file("psk-file"), inner.text("certificate")
    if inner.has("psk-file") == inner.has("certificate"):
        why = "says both psk-file and certificate" if file else "does not say psk-file"
        table.complain(key, why, cure=AUTH_CURE, at=at)
    if not inner.has("certificate"):
        inner.finish()
        return [PskFile(file)] if file else []
    found = _certificate(inner, authority or "", health=inner.value("health", bool) or False, first=True)
    return [found] if authority and not file else []


PPK_CURE = 'Such as ppk = { id = "q1", file = "q1.ppk" }.'


def decode_ppk(table: Table) -> PpkFile | None:
    """``{ id = "q1", file = "q1.ppk", required = false }``: a postquantum preshared key."""
    inner = table.table("ppk")
    if inner is None:
        return None
    name, file, required = inner.text("id"), inner.file("file"), inner.value("required", bool)
    for key in ("id", "file"):
        if not inner.has(key):
            table.complain("ppk", f"does not say {key}", cure=PPK_CURE)
    inner.finish()
    return PpkFile(name, file, required is not False) if name and file else None


def _of_gateway(table: Table) -> Certificate:
    return _certificate(table, table.text("certificate") or "", health=False, first=True)


def _second(table: Table, key: str, item: dict[str, object], at: Steps) -> list[SecondAuth]:
    """``{ user-certificate = "CN=Corp Root CA" }`` or ``{ health-certificate = … }``."""
    inner = table.inner(key, item, at)
    if inner.has("eap"):
        return [decode_eap(inner, _of_gateway, second=True)]
    user, health = inner.text("user-certificate"), inner.text("health-certificate")
    if inner.has("user-certificate") == inner.has("health-certificate"):
        said = inner.has("user-certificate")
        why = "says both user-certificate and health-certificate" if said else "does not say user-certificate"
        table.complain(key, why, cure=SECOND_CURE, at=at)
    holder = Holder.COMPUTER if inner.has("health-certificate") else Holder.USER
    authority = health if holder is Holder.COMPUTER else user
    found = _certificate(inner, authority or "", holder=holder, health=holder is Holder.COMPUTER)
    return [found] if authority else []


def _certificate(
    table: Table, authority: str, *, health: bool, holder: Holder = Holder.COMPUTER, first: bool = False
) -> Certificate:
    name = table.word("name", _name)
    found = Certificate(
        authority,
        signing=table.choice("signing", Signing) or Signing.RSA,
        kind=table.choice("kind", AuthorityKind) or AuthorityKind.ROOT,
        holder=holder,
        health=health,
        mapping=table.value("mapping", bool) or False,
        exclude_ca_name=(first and table.value("exclude-ca-name", bool)) or False,
        eku=table.words("eku", _oid) or (),
        name_kind=name[0] if name else None,
        name=name[1] if name else "",
        hash=table.word("hash", _thumbprint) or "",
        follow_renewal=table.value("follow-renewal", bool) or False,
        criteria=table.choice("criteria", Criteria) or Criteria.BOTH,
    )
    if found.follow_renewal and not table.has("hash"):
        table.complain("follow-renewal", "has no use without hash", cure="Leave it out.")
    if found.criteria is not Criteria.BOTH and not (found.eku or found.name or found.hash):
        table.complain("criteria", "has no use without eku, name or hash", cure="Leave it out.")
    table.finish()
    return found


def _name(text: str) -> tuple[NameKind, str]:
    kind, colon, name = text.strip().partition(":")
    known = next((one for one in NameKind if one.value == kind.lower()), None)
    if not colon or known is None or not name.strip():
        kinds = ", ".join(one.value for one in NameKind)
        raise BadWord("which is no name in a certificate", cure=f'Such as "dns:db1.corp.example"; there are {kinds}.')
    return known, name.strip()


def _oid(text: str) -> str:
    if not OID.fullmatch(text.strip()):
        raise BadWord("which is no key usage", cure='Write its number: "1.3.6.1.5.5.7.3.1" is that of servers.')
    return text.strip()


def _thumbprint(text: str) -> str:
    octets = "".join(text.lower().replace(":", " ").split())
    if len(octets) not in (40, 64) or set(octets) - set("0123456789abcdef"):
        raise BadWord("which is no thumbprint of a certificate", cure="Write its 40 hexadecimal digits.")
    return octets


DOUBLE = {PskFile: "a preshared key", Eap: "EAP", PublicKeys: "public keys"}
ONE_CURES = {
    Eap: "Name all methods in one.",
    PublicKeys: 'Name all peers in one: public-key = { "bob.lab" = "bob.pub", "carol.lab" = "carol.pub" }.',
}


def _check_first(table: Table, key: str, found: tuple[Auth, ...]) -> None:
    counted = Counter[type](type(one) for one in found if not isinstance(one, Certificate))
    for one in found:
        if counted[type(one)] > 1:
            words = DOUBLE.get(type(one), f'"{one}"')
            cure = ONE_CURES.get(type(one), "Main mode has one of each at most.")
            table.complain(key, f"names {words} more than once", cure=cure)
            break
    if counted[PskFile] and counted[Ntlm]:
        table.complain(key, "names both a preshared key and NTLM, which Windows cannot do", cure="Leave one of them.")
    _check_certificates(table, key, [one if isinstance(one, Certificate) else None for one in found])


def _check_second(table: Table, key: str, found: tuple[SecondAuth, ...]) -> None:
    if found and all(isinstance(one, Anonymous) for one in found):
        table.complain(key, "is optional and names nothing else", cure="Leave it out.")
    health = any(isinstance(one, Certificate) and one.holder is Holder.COMPUTER for one in found)
    users = any(not isinstance(one, Anonymous | Certificate) for one in found)
    users = users or any(isinstance(one, Certificate) and one.holder is Holder.USER for one in found)
    if health and users:
        table.complain(
            key, "names a health certificate beside ways for a user", cure="Windows has either of them: leave one."
        )
    counted = Counter(type(one) for one in found if not isinstance(one, Certificate))
    if any(number > 1 for number in counted.values()):
        table.complain(key, "names the same way more than once", cure="Leave the others.")
    _check_certificates(table, key, [one if isinstance(one, Certificate) else None for one in found])


def _check_certificates(table: Table, key: str, found: list[Certificate | None]) -> None:
    """Those that sign alike stand together, and are all of health or none."""
    last: dict[Signing, tuple[int, bool]] = {}
    for number, one in enumerate(found):
        if one is None:
            continue
        before = last.get(one.signing)
        if before is not None and before[0] != number - 1:
            table.complain(key, f"names certificates by {one.signing.value} that do not follow each other",
                           cure="Put them side by side.")  # fmt: skip
        elif before is not None and before[1] != one.health:
            table.complain(key, f"names certificates by {one.signing.value} of which only some are of health",
                           cure="All of one kind of signature have to be, or none.")  # fmt: skip
        last[one.signing] = number, one.health
