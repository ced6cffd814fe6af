# SPDX-License-Identifier: Apache-2.0
"""A gateway sends its clients to another one (RFC 5685).

    client                                          gateway
    IKE_SA_INIT { …, N(REDIRECT_SUPPORTED) }     ->
                                                 <- N(REDIRECT: other gateway, Ni)
or  IKE_AUTH                                     ->
                                                 <- { IDr, AUTH, N(REDIRECT: other gateway) }
or                                               <- INFORMATIONAL { N(REDIRECT: other gateway) }
    {}                                           ->

    IKE_SA_INIT { …, N(REDIRECTED_FROM: gateway) }  -> other gateway

The first form is not authenticated. It has the client's nonce, so that only who sees the client's messages can say it,
and it leads only where the policy lets it, to who has to prove himself there. A client without a word of this is served
as ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.databases.pad import PadEntry
from ringfence.ike.errors import Aborted, Ignored, Reason
from ringfence.ike.exchange import Env
from ringfence.ike.payload import Chain
from ringfence.ike.redirects import Redirects
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.payloads import NoncePayload, NotifyPayload
from ringfence.net.address import Path, format_address

IPV4, IPV6, FQDN = 1, 2, 3
"""How a gateway is named (§10)."""
FAMILY = {IPV4: 4, IPV6: 16}
"""Octets of an address."""

Words = tuple[NotifyPayload, ...]


class SentAway(Aborted):
    """The gateway sends us to another one, where we may go."""

    def __init__(self, to: bytes) -> None:
        super().__init__(Reason.ELSEWHERE, f"the peer sends us to {format_address(to)}")
        self.to = to


def encoded(address: bytes, nonce: bytes = b"") -> bytes:
    """What REDIRECT and REDIRECTED_FROM say: kind, length, gateway, and the nonce that they answer."""
    kind = next(kind for kind, octets in FAMILY.items() if octets == len(address))
    return bytes([kind, len(address)]) + address + nonce


def decoded(data: bytes) -> tuple[bytes, bytes]:
    """The other gateway, and what stands behind it; raises Aborted for a name, or what is none."""
    if len(data) < 2 or len(data) < 2 + data[1]:
        raise Aborted(Reason.MALFORMED, "the peer sends us to another gateway, and does not say which")
    kind, named, rest = data[0], data[2 : 2 + data[1]], data[2 + data[1] :]
    if kind == FQDN:
        name = named.decode("ascii", "replace")
        raise Aborted(Reason.ELSEWHERE, f'the peer sends us to "{name}"; only addresses are obeyed')
    if FAMILY.get(kind) != len(named):
        raise Aborted(Reason.MALFORMED, "the peer sends us to another gateway, and does not say which")
    return named, rest


def said(chain: Chain) -> NotifyPayload | None:
    """Where a message sends us, if anywhere."""
    return next((each for each in chain.all(NotifyPayload) if each.kind == Notify.REDIRECT), None)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What one IKE SA has to do with other gateways."""

    redirects: Redirects
    path: Path
    env: Env

    # The client ----------------------------------------------------------------------------------------------------

    def offered(self, entry: PadEntry) -> Words:
        """What IKE_SA_INIT says of it, where the policy lets a peer send us on."""
        if not entry.others:
            return ()
        by = self.redirects.sent_by(entry.name, self.path)
        if by is None or by == self.path.remote.address:
            return (NotifyPayload(Notify.REDIRECT_SUPPORTED),)
        return NotifyPayload(Notify.REDIRECT_SUPPORTED), NotifyPayload(Notify.REDIRECTED_FROM, encoded(by))

    def sends_on(self, chain: Chain, entry: PadEntry, nonce: bytes) -> bytes | None:
        """Where an answer to IKE_SA_INIT sends us; raises Aborted where it may not, Ignored for a forged one."""
        notify = said(chain)
        if notify is None or not entry.others:
            return None  # who was not offered that cannot say it
        to, answers = decoded(notify.data)
        if answers != nonce:
            raise Ignored(Reason.UNEXPECTED, "a word about another gateway that answers no request of ours")
        self.redirects.check(entry, self.path, to, self.env.now)
        return to

    def check_first(self, chain: Chain, entry: PadEntry, nonce: bytes) -> None:
        """Raise SentAway where an answer to IKE_SA_INIT sends us on."""
        to = self.sends_on(chain, entry, nonce)
        if to is not None:
            raise SentAway(to)

    def heard(self, chain: Chain, entry: PadEntry) -> bytes | None:
        """Where a protected message sends us; None for nowhere. Raises Aborted where it may not."""
        notify = said(chain)
        if notify is None or not entry.others:
            return None
        to, _ = decoded(notify.data)
        self.redirects.check(entry, self.path, to, self.env.now)
        return to

    # The gateway ---------------------------------------------------------------------------------------------------

    def refer_first(self, first: Chain, entries: Sequence[PadEntry]) -> None:
        """Raise Answered where whoever begins so is sent on, by whichever of ``entries``."""
        to = self._target({each.send_to for each in entries})
        if to is not None and is_served(first):
            nonce = first.one(NoncePayload).data
            what = f"the peer is sent to {format_address(to)}"
            raise Answered(Reason.ELSEWHERE, what, Notify.REDIRECT, encoded(to, nonce))

    def referred(self, first: Chain, entry: PadEntry) -> bytes | None:
        """Where IKE_AUTH sends who has authenticated by ``entry``; None for nowhere."""
        return self._target({entry.send_to}) if is_served(first) else None

    def _target(self, all_say: set[bytes | None]) -> bytes | None:
        ours = self.path.local.address
        if self.redirects.drains_to is not None and len(self.redirects.drains_to) == len(ours):
            return None if self.redirects.drains_to == ours else self.redirects.drains_to
        to = next(iter(all_say)) if len(all_say) == 1 else None
        return None if to is None or to == ours or len(to) != len(ours) else to


def words(to: bytes) -> Words:
    """What sends a client there, under the keys."""
    return (NotifyPayload(Notify.REDIRECT, encoded(to)),)


def is_served(first: Chain) -> bool:
    """Whether a client lets itself be sent on."""
    kinds = {each.kind for each in first.all(NotifyPayload)}
    return bool(kinds & {Notify.REDIRECT_SUPPORTED, Notify.REDIRECTED_FROM})
