# SPDX-License-Identifier: Apache-2.0
"""An IKE SA as the engine around it knows it, whichever version of IKE it speaks.

``v1.session`` and ``v2.session`` are such. Where the versions differ in what an IKE SA is to its contracts, the engine
asks ``version``: those of IKEv1 outlive the IKE SA that they were made under, those of IKEv2 end with it.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from ringfence.databases.identity import Identity
from ringfence.databases.pad import PadEntry
from ringfence.databases.proposal import IkeProposal
from ringfence.databases.proposal import Protocol as SaProtocol
from ringfence.ike.effects import Answer
from ringfence.ike.errors import Reason
from ringfence.ike.happening import Output
from ringfence.ike.header import Header
from ringfence.ike.info import keying_by
from ringfence.ike.lifetime import IkeEvent, IkeState
from ringfence.ike.wishes import Wish
from ringfence.net.address import Path


class Made(Protocol):
    """What both sides of an IKE SA have proved and agreed on."""

    @property
    def proposal(self) -> IkeProposal:
        """With the lifetimes that count here."""

    @property
    def entry(self) -> PadEntry:
        """How the peer has authenticated."""

    @property
    def local(self) -> Identity:
        """Who we said we are."""

    @property
    def remote(self) -> Identity:
        """Who the peer proved to be."""

    @property
    def proof_ends(self) -> float | None:
        """When an older proof is over that counts here, since it was resumed; None for one of its own."""

    @property
    def proof(self) -> str:
        """By what it did so, for people; empty where nobody knows."""


class IkeSa(Protocol):
    """One IKE SA. No method raises for what a peer says, except ``answer``."""

    id: int
    born: Path
    """Where its first message came from, or went to."""
    initiator: bool
    rule: str
    """The policy's rule that it is made for, for people; empty where it may be any of several."""
    state: IkeState
    began_at: float
    made_at: float | None
    """None while it is negotiated."""
    confirmed: bool
    """Whether the peer is known to have it too."""
    quick_modes: int
    """Negotiations of contracts that we began under it."""
    peer_began_quick: bool

    @property
    def version(self) -> int:
        """Of IKE: 1 or 2."""

    @property
    def cookies(self) -> tuple[bytes, bytes]:
        """The initiator's and the responder's, in IKEv2 SPIs; 8 octets each."""

    @property
    def path(self) -> Path:
        """Between which ends its messages go now."""

    @property
    def home(self) -> Path:
        """Between which ends the policy knows both: the peer where it proved who it is."""

    @property
    def entry(self) -> PadEntry:
        """How the peer has authenticated, or should."""

    @property
    def agreed(self) -> Made | None:
        """None until both sides have proved who they are."""

    @property
    def usable(self) -> bool:
        """Whether a contract can be negotiated under it."""

    @property
    def busy(self) -> bool:
        """Whether an exchange is under way."""

    @property
    def retractable(self) -> bool:
        """Whether it is one of ours that the peer has nothing of yet."""

    @property
    def peer_is_ours(self) -> bool:
        """Whether the peer is a Ringfence."""

    @property
    def peer_behind_nat(self) -> bool:
        """Whether others may be at the peer's address."""

    @property
    def next_timer(self) -> float | None:
        """When ``tick`` has something to do."""

    def hears(self, path: Path) -> bool:
        """Whether messages of it may come by ``path``."""

    def happen(self, event: IkeEvent) -> None:
        """Move on in its life."""

    def serves(self, entry: PadEntry | None) -> bool:
        """Whether what the peer has proved is what ``entry`` wants proved."""

    def begin(self, wish: Wish | None, *, first_contact: Callable[[], bool]) -> list[Output]:
        """Begin its first exchange, for ``wish`` where there is one."""

    def answer(self, header: Header, datagram: bytes, *, first_contact: Callable[[], bool]) -> list[Output]:
        """Answer a peer's first message; raises IkeError for what is none."""

    def receive(self, header: Header, datagram: bytes, path: Path) -> list[Output]:
        """Take a message with its cookies."""

    def begin_quick(self, wish: Wish) -> list[Output]:
        """Negotiate a contract for ``wish``, whose nonce is drawn."""

    def abandon_quick(self, wish: Wish) -> None:
        """Give up our negotiation for ``wish``, for the peer's goes on."""

    def delete(self, spis: Sequence[tuple[SaProtocol, int]], *, itself: bool = False) -> list[Output]:
        """Tell the peer that inbound SAs of ours, or the IKE SA itself, are gone."""

    @property
    def answers_probes(self) -> bool:
        """Whether the peer answers who asks whether it is there."""

    def ask_alive(self, tries: int) -> list[Output]:
        """Ask the peer so, unless that is under way; ``PeerSilent`` comes of it if it never answers."""

    def is_alive(self) -> list[Output]:
        """There was another sign of life."""

    def heard_from(self, path: Path) -> list[Output]:
        """An authentic packet of one of its contracts came by ``path``; ``Moved`` if its peer may move there."""

    def end_exchanges(self, reason: Reason, detail: str) -> list[Output]:
        """Give up everything under way."""

    def answered(self, ticket: int, answer: Answer) -> list[Output]:
        """The host answers a question of an exchange."""

    def tick(self) -> list[Output]:
        """Repeat what is not answered, end what takes too long."""


def keying_of(session: IkeSa) -> str:
    """The protocol that an IKE SA speaks, as documents name it, and whether by TCP."""
    return keying_by(session.path, session.version)


@runtime_checkable
class Referring(Protocol):
    """Likewise as a gateway."""

    @property
    def refers(self) -> bool:
        """Whether the peer is a client that lets itself be sent to another gateway."""

    def refer(self, to: bytes) -> list[Output]:
        """Send it there."""


@runtime_checkable
class Renewable(Protocol):
    """What an IKE SA of IKEv2 can do besides."""

    def succeed(self) -> list[Output]:
        """Rekey the IKE SA itself."""

    def unsaid(self) -> tuple[tuple[SaProtocol, int], ...]:
        """The inbound SAs of ours of which the peer has not been told that they are gone; from then on it is not."""

    def remind(self) -> list[Output]:
        """Tell the peer what it should keep in mind of this one, now that it has taken the place of another."""

    def probe(self) -> list[Output]:
        """Find out whether the peer still has it."""

    def disconnected(self) -> list[Output]:
        """The TCP connection that its messages went by is gone, or never came about."""
