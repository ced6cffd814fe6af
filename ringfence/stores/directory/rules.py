# SPDX-License-Identifier: Apache-2.0
"""One rule of a directory's policy, an ``ipsecNFA`` with what it brings together ([MS-GPIPSEC] §2.2.1.3)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ringfence.policy.scope import Connection
from ringfence.policy.terms import Auth, Kerberos
from ringfence.policy.windows import DYNAMIC, PolicyRule
from ringfence.stores.directory.blobs import NfaBlob
from ringfence.stores.directory.objects import DEFAULT_RESPONSE, Class, Entry
from ringfence.stores.directory.records import text_of

if TYPE_CHECKING:
    from ringfence.stores.directory.reading import Reading

PSK, X509, KERBEROS = 1, 3, 5
MAPPING, EXCLUDE_CA = 1, 2
"""What is said of a certificate."""
CONNECTIONS: Mapping[int, Connection] = {
    0xFFFFFFFF: Connection.REMOTE_ACCESS, 0xFFFFFFFE: Connection.LAN, 0xFFFFFFFD: Connection.ALL,
}  # fmt: skip


class RuleReading:
    """One ``ipsecNFA``."""

    def __init__(self, reading: "Reading", entry: Entry, blob: NfaBlob) -> None:
        self._reading, self._entry, self._blob = reading, entry, blob
        self._active = bool(blob.record.is_active)

    def rules(self) -> Iterator[PolicyRule]:
        """The rule, or one for each filter list that it has."""
        reading, entry = self._reading, self._entry
        actions = list(
            reading.referred(entry, "ipsecNegotiationPolicyReference", Class.NEGOTIATION, needed=False)
        )  # fmt: skip
        action = reading.action(actions[0]) if actions else None
        if not actions:
            reading.warn(entry, f"ipsecNegotiationPolicyReference of {entry.dn} names no filter action")
        if not entry.texts("ipsecFilterReference") and actions and is_default_response(actions[0]):
            yield from self._default_response(action)
            return
        lists = list(self._lists())
        if not lists and not entry.texts("ipsecFilterReference"):
            reading.complain(entry, "the filter list, ipsecFilterReference, is missing:", active=self._active)
        for number, name in enumerate(lists):
            yield self._rule(name, action, number)

    def _lists(self) -> Iterator[str]:
        for found in self._reading.referred(self._entry, "ipsecFilterReference", Class.FILTER, needed=self._active):
            name = self._reading.filter_list(found, active=self._active)
            if name is not None:
                yield name

    def _default_response(self, action: str | None) -> Iterator[PolicyRule]:
        auth = self._auth()
        enabled = self._active and action is not None and bool(auth)
        if self._active and not enabled:
            self._reading.warn(self._entry, f"the default response rule {self._entry.dn} cannot be served: it is off")
        if action is not None:
            yield self._made(DYNAMIC, action, self._name(DYNAMIC, action, 0), auth, None, enabled=enabled)

    def _rule(self, filter_list: str, action: str | None, number: int) -> PolicyRule:
        entry, reading = self._entry, self._reading
        name = self._name(filter_list, action, number)
        negotiates = action is not None and reading.negotiates(action)
        auth, tunnel, why = self._auth(), None, ""
        if action is None:
            why = "has no filter action that can be served"
        elif negotiates and not auth:
            why = "has no way to authenticate that can be served"
        elif negotiates and self._blob.record.is_tunnel:
            tunnel = self._tunnel()
            why = "is for a tunnel whose end has no address" if tunnel is None else ""
        if why or action is None:
            title = name or entry.name
            if self._active:
                reading.warn(entry, f'rule "{title}" ({entry.dn}) {why}: it blocks')
            action = reading.blocking(title, entry.place)
        return self._made(filter_list, action, name, auth, tunnel, enabled=self._active)

    def _name(self, filter_list: str, action: str | None, number: int) -> str:
        """Its own, or one that tells it apart; empty where what it brings together does so."""
        said = self._entry.text("ipsecName")
        wanted = said or f"{filter_list}: {action}"
        found = self._reading.titled(self._entry, wanted if not number else f"{wanted} ({filter_list})")
        return "" if found == wanted and not said else found

    def _made(
        self, filter_list: str, action: str, name: str, auth: tuple[Auth, ...], tunnel: bytes | None, *, enabled: bool,
    ) -> PolicyRule:  # fmt: skip
        return PolicyRule(
            filter_list, action, name, auth, tunnel, self._connection(), enabled, self._entry.text("description"),
            self._entry.place,
        )  # fmt: skip

    def _connection(self) -> Connection:
        kind = self._blob.record.interface
        if kind not in CONNECTIONS:
            self._reading.complain(
                self._entry, f"ipsecData is for connections of kind {kind:#x}, which is unknown:", active=self._active
            )
        return CONNECTIONS.get(kind, Connection.ALL)

    def _tunnel(self) -> bytes | None:
        """Where this direction of the tunnel ends."""
        six, four = self._blob.tunnel_v6, self._blob.record.tunnel
        if six is not None and any(six.address):
            return six.address
        return four if any(four) else None

    def _auth(self) -> tuple[Auth, ...]:
        flags = self._blob.flags or ()
        found: dict[Auth, None] = {}
        for number, one in enumerate(self._blob.record.auth):
            flag = flags[number] if number < len(flags) else 0
            try:
                found[self._method(one.kind, text_of(one.data), flag)] = None
            except ValueError:
                self._warn(number, "whose data is no text")
            except LookupError:
                self._warn(number, f"whose kind {one.kind} is none of preshared key (1), certificate (3), Kerberos (5)")
        return tuple(found)

    def _method(self, kind: int, text: str, flag: int) -> Auth:
        if kind == PSK:
            return self._reading.keys.file(text, self._entry.text("ipsecName") or self._entry.name)
        if kind == X509:
            return self._reading.certificate(text, flag)
        if kind == KERBEROS:
            return Kerberos()
        raise LookupError(kind)

    def _warn(self, number: int, what: str) -> None:
        self._reading.warn(
            self._entry, f"ipsecData of {self._entry.dn}: way to authenticate {number + 1}, {what}; it is left out"
        )  # fmt: skip


def is_default_response(action: Entry) -> bool:
    """Whether a filter action is that of a default response rule."""
    return action.text("ipsecNegotiationPolicyType").upper() == DEFAULT_RESPONSE
