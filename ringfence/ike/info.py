# SPDX-License-Identifier: Apache-2.0
"""An IKE SA (main mode SA) as people see it."""

from dataclasses import dataclass

from ringfence.audit import MessageIgnored
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.errors import Reason
from ringfence.ike.lifetime import IkeState
from ringfence.net.address import Path, format_address

IKE_PORT = 500
IKE_PORTS = (IKE_PORT, 4500)


def peer_of(path: Path) -> str:
    """The other end as events name it: its address, and its port where that is none of IKE's."""
    remote = path.remote
    return format_address(remote.address) if remote.port in IKE_PORTS else str(remote)


def keying_by(path: Path, version: int = 2) -> str:
    """A version of IKE by the name that documents have for it, and whether by TCP."""
    return f"ikev{version}" + ("-tcp" if path.tcp else "")


def made_room(path: Path) -> MessageIgnored:
    """Of a half-open IKE SA that is forgotten for others."""
    what = "its negotiation had to make room for others"
    return MessageIgnored(peer=peer_of(path), reason=Reason.HALF_OPEN_LIMIT.value, detail=what)


@dataclass(frozen=True, slots=True)
class IkeSaInfo:
    """One IKE SA; no key is in it."""

    id: int
    version: int
    """Of IKE: 1 or 2."""
    path: Path
    state: IkeState
    initiator: bool
    """Whether we began it."""
    initiator_cookie: bytes
    responder_cookie: bytes
    """Zero until the responder has chosen."""
    local_identity: Identity | None
    """None until both sides are authenticated."""
    remote_identity: Identity | None
    proof: str
    """By what the peer has proved that, for people; empty until then."""
    proposal: IkeProposal | None
    entry: str
    """``PadEntry.name``."""
    rule: str
    """The policy's rule that it was made for; empty where it may have been any of several."""
    made_at: float | None
    """By the clock that the engine is given; None while it is negotiated."""
    expires_at: float | None
    children: tuple[int, ...]
    """Ids of the contracts that it speaks for."""
    refers: bool = False
    """Whether the peer is a client that lets itself be sent to another gateway."""
    mobike: bool = False
    """Whether both sides let it go over to other addresses."""
    home: Path | None = None
    """Between which ends the policy knows both; the peer may be elsewhere since."""

    @property
    def begun_at(self) -> str:
        """Where the peer was when it proved who it is, if that is elsewhere."""
        if self.home is None or self.home.remote.address == self.path.remote.address:
            return ""
        return format_address(self.home.remote.address)
