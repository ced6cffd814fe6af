# SPDX-License-Identifier: Apache-2.0
"""EAP in a document: who lets users in, as whom this computer lets itself in, and the RADIUS servers that know users.

``auth = { eap = "mschapv2", certificate = "CN=Lab CA, O=Lab", user = "alice", password-file = "alice.password" }`` is a
client's; with ``users-file`` or ``radius`` in the place of the user it is a gateway's. The certificate is how a gateway
proves itself, before anybody tells it a password; with ``eap-only = true`` it does so by TLS inside EAP alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ringfence.databases.certification import CertificateAuth
from ringfence.databases.eap import Directory, EapAuth, EapMethod, EapUser, RadiusServer, Users
from ringfence.place import NOWHERE, Place
from ringfence.policy.decode import Table
from ringfence.policy.errors import BadWord
from ringfence.policy.terms import Certificate, Eap
from ringfence.policy.texts import Pair, toml_text
from ringfence.policy.units import format_duration, parse_duration
from ringfence.secret import Secret

METHODS = ", ".join(f'"{one.value}"' for one in EapMethod)
ROLE_CURE = (
    'A gateway says users-file = "users.toml" or radius = "NAME"; a client user = "alice" and password-file = "FILE".'
)
GATEWAY_CURE = 'Say it by its authority: certificate = "CN=Corp Root CA".'
PORT, TIMEOUT_S, TRIES = 1812, 3, 3
RADIUS_CURE = 'Such as [radius."main"] host = "10.0.0.5" and secret-file = "radius.secret".'


@dataclass(frozen=True, slots=True)
class RadiusTable:
    """``[radius."NAME"]``: a server that knows users (RFC 3579)."""

    name: str
    host: str = ""
    """An address, or a name that is looked up with each question."""
    secret_file: str = ""
    port: int = PORT
    timeout_s: int = TIMEOUT_S
    tries: int = TRIES
    identifier: str = ""
    """What this computer calls itself there (NAS-Identifier)."""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    @property
    def files(self) -> tuple[str, ...]:
        """All that it names."""
        return (self.secret_file,) if self.secret_file else ()


@dataclass(frozen=True, slots=True)
class EapFiles:
    """What the files of a policy hold of users."""

    secrets: Mapping[str, Secret] = field(default_factory=dict)
    """Passwords, and secrets shared with RADIUS servers, by the file's name."""
    users: Mapping[str, Users] = field(default_factory=dict)
    servers: Mapping[str, RadiusServer] = field(default_factory=dict)
    """By the name that the policy gives them."""


NO_FILES = EapFiles()


def all_files(several: Iterable[EapFiles]) -> EapFiles:
    """What several stores have, the last of a name before the others."""
    found = list(several)
    return EapFiles(
        {name: one for each in found for name, one in each.secrets.items()},
        {name: one for each in found for name, one in each.users.items()},
        {name: one for each in found for name, one in each.servers.items()},
    )


def decode_eap(table: Table, certificate: Callable[[Table], Certificate | None], *, second: bool = False) -> Eap:
    """The table of a way by EAP, with what ``certificate`` understands of it.

    As a ``second`` authentication it comes behind the gateway's own proof.
    """
    methods = table.words("eap", _method) or ()
    for double in {one for one in methods if methods.count(one) > 1}:
        table.complain("eap", f"names {double.value} more than once", cure="Leave the others.")
    found = Eap(
        methods,
        user=table.text("user") or "",
        password_file=table.file("password-file") or "",
        users_file=table.file("users-file") or "",
        radius=table.words("radius", str) or (),
    )
    _check_role(table, found)
    alone = (not second and table.value("eap-only", bool)) or False
    weak = [one.value for one in methods if not one.proves_both]
    if alone and weak:
        why = f"is true, but with {weak[0]} anybody may be the gateway and try to guess the password"
        table.complain("eap-only", why, cure="Leave it out, or name tls alone.")
    if not table.has("certificate") and second and EapMethod.TLS not in methods:
        table.finish()
        return found
    if not table.has("certificate"):
        table.complain("eap", "says not whose certificate the gateway shows", cure=GATEWAY_CURE)
        table.finish()
        return found
    return replace(found, certificate=certificate(table), alone=alone)


def _check_role(table: Table, found: Eap) -> None:
    asks = [key for key in ("users-file", "radius") if table.has(key)]
    if len(asks) == 2:
        table.complain("radius", "stands beside users-file", cure="Users are known in one place: leave the other.")
    proves = table.has("user") or table.has("password-file") or found.methods == (EapMethod.TLS,)
    if not asks and not proves:
        table.complain("eap", "says neither who is let in nor as whom", cure=ROLE_CURE)
    if table.has("user") and not table.has("password-file") and set(found.methods) != {EapMethod.TLS}:
        table.complain("user", "has no password-file", cure=ROLE_CURE)
    if table.has("password-file") and not table.has("user"):
        table.complain("password-file", "says not whose password it is", cure='Add user = "NAME".')


def _method(text: str) -> EapMethod:
    try:
        return EapMethod(text.strip().lower())
    except ValueError:
        raise BadWord("which is no method of EAP here", cure=f"There are {METHODS}.") from None


def decode_radius(table: Table, name: str) -> RadiusTable:
    """``[radius."NAME"]``."""
    found = RadiusTable(
        name,
        table.text("host") or "",
        table.file("secret-file") or "",
        table.number("port", 1, 65535) or PORT,
        table.word("timeout", parse_duration) or TIMEOUT_S,
        table.number("tries", 1, 20) or TRIES,
        table.text("identifier") or "",
        table.place,
        table.places(table.data),
    )
    for key in ("host", "secret-file"):
        if not table.has(key):
            table.complain(key, "is missing", cure=RADIUS_CURE)
    table.finish()
    return found


def radius_pairs(one: RadiusTable) -> Iterator[Pair]:
    """Its settings as text."""
    yield "host", toml_text(one.host), False
    yield "secret-file", toml_text(one.secret_file), False
    yield "port", str(one.port), one.port == PORT
    yield "timeout", toml_text(format_duration(one.timeout_s)), one.timeout_s == TIMEOUT_S
    yield "tries", str(one.tries), one.tries == TRIES
    if one.identifier:
        yield "identifier", toml_text(one.identifier), False


def eap_way(one: Eap, files: EapFiles, certificate: CertificateAuth | None) -> EapAuth | None:
    """What a rule wants, with what there is for it; None where nobody is known and nobody is to be proved."""
    user = EapUser(one.user, files.secrets.get(one.password_file)) if _proves(one, certificate) else None
    servers = tuple(files.servers[name] for name in one.radius if name in files.servers)
    directory: Directory | None = servers or files.users.get(one.users_file)
    if EapMethod.TLS in one.methods and directory is None and user is None:
        return None
    return EapAuth(one.methods, None if one.alone else certificate, user, directory, certificate)


def _proves(one: Eap, certificate: CertificateAuth | None) -> bool:
    by_certificate = EapMethod.TLS in one.methods and certificate is not None and bool(certificate.own)
    return bool(one.user) or (by_certificate and not (one.users_file or one.radius))
