# SPDX-License-Identifier: Apache-2.0
"""One rule as an ``ipsecNFA`` ([MS-GPIPSEC] §2.2.1.3); a tunnel with both ends is two of them, a direction each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ringfence.net.address import IPV4_OCTETS
from ringfence.place import Place
from ringfence.policy.gateways import Gateways
from ringfence.policy.ipfilter import mirror
from ringfence.policy.model import Keyword
from ringfence.policy.terms import Auth, AuthorityKind, Certificate, Kerberos, PskFile, Signing
from ringfence.policy.windows import DYNAMIC, FilterList, IpFilter, IpsecPolicy, PolicyRule
from ringfence.secret import Secret
from ringfence.stores.directory.blobs import NfaBlob
from ringfence.stores.directory.filters import one_by_one
from ringfence.stores.directory.records import (
    AlternateAuth,
    AuthMethod,
    NfaRecord,
    TunnelV6,
    text_octets,
    text_of,
)
from ringfence.stores.directory.rules import CONNECTIONS, EXCLUDE_CA, KERBEROS, MAPPING, PSK, X509

Say = Callable[[Place, str], None]
CONNECTION_CODES = {connection: code for code, connection in CONNECTIONS.items()}
EMPTY = text_octets("")
IN_THE_OPEN = "stands in the directory, where every computer of the domain can read it"


@dataclass(frozen=True, slots=True)
class Half:
    """A rule, or that for one direction of its tunnel."""

    rule: PolicyRule
    name: str
    """Empty where what it brings together is its name."""
    filters: FilterList
    tunnel: bytes | None = None
    """Where this direction of the tunnel ends."""


def halves(ipsec: IpsecPolicy, lists: Mapping[str, FilterList], complain: Say) -> Iterator[Half]:
    """The rules of a policy as a directory has them."""
    for rule in ipsec.rules:
        found = FilterList(DYNAMIC) if rule.filter_list == DYNAMIC else lists.get(rule.filter_list)
        if found is None:
            complain(rule.place, f'there is no filter list "{rule.filter_list}"')
        elif isinstance(rule.tunnel, Gateways):
            yield from _both(rule, rule.tunnel, found, complain)
        else:
            name = "" if rule.name == f"{rule.filter_list}: {rule.filter_action}" else rule.name
            yield Half(rule, name, found, rule.tunnel)


def _both(rule: PolicyRule, ends: Gateways, found: FilterList, complain: Say) -> Iterator[Half]:
    if ends.local is None or ends.remote is None or ends.pool or ends.asks is not None:
        complain(rule.place, f'rule "{rule.title}" has a tunnel that does not say the addresses of both its ends')
        return
    out = [replace(one, mirrored=False) for item in found.filters for one in one_by_one(_outward(item))]
    for way, end, filters in (("out", ends.remote, out), ("in", ends.local, [mirror(one) for one in out])):
        name = f"{found.name} ({way})"
        yield Half(rule, f"{rule.title} ({way})", FilterList(name, tuple(filters), found.description), end)


def _outward(item: IpFilter) -> IpFilter:
    return mirror(item) if item.destination is Keyword.ME else item


class RuleWriting:
    """The octets of one rule."""

    def __init__(self, ipsec: IpsecPolicy, keys: Mapping[str, Secret], *, warn: Say, complain: Say) -> None:
        self._ipsec, self._keys = ipsec, keys
        self._warn, self._complain = warn, complain

    def blob(self, half: Half, old: NfaBlob | None) -> NfaBlob:
        """What ``ipsecData`` says; what was there ``old`` is kept as far as it says the same."""
        methods, flags = self._auth(half.rule)
        connection = CONNECTION_CODES[half.rule.connection]
        new = NfaBlob(NfaRecord(methods, connection, EMPTY, bytes(IPV4_OCTETS), 0, int(half.rule.enabled), EMPTY))
        base = old or new
        if _said(base) != (_texts(methods), flags):
            alternate = AlternateAuth(methods) if any(flags) else None
            base = replace(
                base, record=replace(base.record, auth=methods), alternate=alternate,
                flags=flags if any(flags) else None, flags_zero=len(flags) if any(flags) else 0, length=None,
            )  # fmt: skip
        record = replace(base.record, interface=connection)
        if bool(record.is_active) != half.rule.enabled:
            record = replace(record, is_active=int(half.rule.enabled))
        return _with_end(replace(base, record=record), half.tunnel)

    def _auth(self, rule: PolicyRule) -> tuple[tuple[AuthMethod, ...], tuple[int, ...]]:
        methods, flags = list[AuthMethod](), list[int]()
        for one in rule.auth or self._ipsec.auth or (Kerberos(),):
            made = self._method(rule, one)
            if made is not None:
                methods.append(made)
                flags.append(_flag(one))
        if not methods:
            self._complain(rule.place, f'rule "{rule.title}" has no way to authenticate that a directory can say')
        return tuple(methods), tuple(flags)

    def _method(self, rule: PolicyRule, one: Auth) -> AuthMethod | None:
        if isinstance(one, Kerberos):
            return AuthMethod(KERBEROS, EMPTY)
        if isinstance(one, PskFile):
            return self._psk(rule, one)
        if isinstance(one, Certificate):
            plain = Certificate(one.authority, mapping=one.mapping, exclude_ca_name=one.exclude_ca_name)
            if one == plain and one.signing is Signing.RSA and one.kind is AuthorityKind.ROOT:
                return AuthMethod(X509, text_octets(one.authority))
        self._warn(rule.place, f'rule "{rule.title}": {one} is left out, for a directory\'s policy cannot say it')
        return None

    def _psk(self, rule: PolicyRule, one: PskFile) -> AuthMethod | None:
        secret = self._keys.get(one.file)
        try:
            text = None if secret is None else secret.reveal().decode()
        except UnicodeDecodeError:
            text = None
        if text is None or "\0" in text:
            why = "is not there" if secret is None else "is no text, and a directory's policy has texts only"
            self._complain(rule.place, f'rule "{rule.title}": the key {one.file} {why}')
            return None
        self._warn(rule.place, f'rule "{rule.title}": the key {one.file} {IN_THE_OPEN}')
        return AuthMethod(PSK, text_octets(text))


def _flag(one: Auth) -> int:
    if not isinstance(one, Certificate):
        return 0
    return (MAPPING if one.mapping else 0) | (EXCLUDE_CA if one.exclude_ca_name else 0)


def _texts(methods: tuple[AuthMethod, ...]) -> list[tuple[int, str]]:
    return [(one.kind, text_of(one.data)) for one in methods]


def _said(blob: NfaBlob) -> tuple[list[tuple[int, str]], tuple[int, ...]] | None:
    """What a blob has of authentication; None where it is nothing that could be kept."""
    try:
        return _texts(blob.record.auth), blob.flags or (0,) * len(blob.record.auth)
    except ValueError:
        return None


def _with_end(blob: NfaBlob, end: bytes | None) -> NfaBlob:
    """The blob with this end of a tunnel."""
    record, six = blob.record, blob.tunnel_v6
    old = None if not record.is_tunnel else six.address if six is not None and any(six.address) else record.tunnel
    if old == end:
        return blob
    if end is None:
        return replace(blob, record=replace(record, is_tunnel=0), tunnel_v6=None)
    if len(end) == IPV4_OCTETS:
        return replace(blob, record=replace(record, tunnel=end, is_tunnel=1), tunnel_v6=None)
    return replace(blob, record=replace(record, tunnel=bytes(IPV4_OCTETS), is_tunnel=1), tunnel_v6=TunnelV6(end))
