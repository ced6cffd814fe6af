# SPDX-License-Identifier: Apache-2.0
"""Which gateways peers have sent this host to (RFC 5685), and where this host sends those who come in.

A peer is obeyed only where its rule names the other gateway, and five times in five minutes: gateways that send a
client to each other end there (§6). The other gateway has to prove who it is by the same entry of the policy. If it
cannot be had, the first one is tried again.
"""

from dataclasses import dataclass, field

from ringfence.databases.pad import Pad, PadEntry
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.info import IKE_PORT
from ringfence.net.address import Endpoint, Path, format_address

MOST_REDIRECTS = 5
LOOP_S = 300.0
"""So often within so many seconds (RFC 5685 §6: MAX_REDIRECTS, REDIRECT_LOOP_DETECT_PERIOD)."""


def toward(path: Path, to: bytes) -> Path:
    """How a negotiation with the gateway ``to`` begins that is to take the place of one over ``path``."""
    return Path(Endpoint(path.local.address, IKE_PORT), Endpoint(to, IKE_PORT))


Key = tuple[str, bytes, bytes]
"""An entry of the PAD, our address, and the gateway that the policy names."""


@dataclass(slots=True)
class _Sent:
    """Where one gateway has sent us."""

    to: bytes
    by: bytes
    """The gateway that did so last."""
    times: list[float] = field(default_factory=list)


class Redirects:
    """Of one host."""

    def __init__(self) -> None:
        self._sent: dict[Key, _Sent] = {}
        self.drains_to: bytes | None = None
        """Where all who come in are sent, by order of the administrator; None for nowhere."""

    def onward(self, name: str, path: Path) -> Path:
        """Where to negotiate what the policy wants negotiated by the entry ``name`` over ``path``."""
        sent = self._sent.get((name, path.local.address, path.remote.address))
        return path if sent is None else toward(path, sent.to)

    def sent_by(self, name: str, path: Path) -> bytes | None:
        """The gateway that has sent us to the other end of ``path``."""
        found = self._of(name, path)
        return None if found is None else self._sent[found].by

    def check(self, entry: PadEntry, path: Path, to: bytes, now: float) -> None:
        """Raise Aborted where the peer of ``path`` may not send us there, or not again."""
        words = f"the peer sends us to {format_address(to)}"
        found = self._of(entry.name, path)
        back = found is not None and to == found[2]
        if not entry.initiate or not (back or any(to in one for one in entry.others)):
            raise Aborted(Reason.ELSEWHERE, f'{words}, where rule "{entry.origin.rule}" does not let it')
        if to == path.remote.address or len(to) != len(path.local.address):
            raise Aborted(Reason.ELSEWHERE, f"{words}, which is no other gateway for us")
        if found is not None and len(self._recent(found, now)) >= MOST_REDIRECTS:
            raise Aborted(Reason.ELSEWHERE, f"{words}, after {MOST_REDIRECTS} others within {LOOP_S:.0f} seconds")

    def note(self, name: str, path: Path, to: bytes, now: float) -> None:
        """The peer of ``path`` has sent us there."""
        found = self._of(name, path) or (name, path.local.address, path.remote.address)
        times = [*self._recent(found, now), now] if found in self._sent else [now]
        self._sent[found] = _Sent(to, path.remote.address, times)

    def failed(self, name: str, path: Path) -> None:
        """The gateway that we were sent to cannot be had: the first one is tried again, by its own word."""
        found = self._of(name, path)
        if found is not None and self._sent[found].to != found[2]:
            self._sent[found].to = found[2]

    def follow(self, pad: Pad) -> None:
        """A new policy may not let us go there any more."""

        def stays(key: Key, sent: _Sent) -> bool:
            entry = pad.named(key[0])
            return entry is not None and (sent.to == key[2] or any(sent.to in one for one in entry.others))

        self._sent = {key: sent for key, sent in self._sent.items() if stays(key, sent)}

    def _of(self, name: str, path: Path) -> Key | None:
        here, there = path.local.address, path.remote.address
        if (name, here, there) in self._sent:
            return name, here, there
        return next((key for key, sent in self._sent.items() if key[:2] == (name, here) and sent.to == there), None)

    def _recent(self, key: Key, now: float) -> list[float]:
        return [each for each in self._sent[key].times if now - each < LOOP_S]
