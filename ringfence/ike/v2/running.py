# SPDX-License-Identifier: Apache-2.0
"""An exchange under way, or waiting for its turn: a peer answers one request of ours at a time (RFC 7296 §2.3)."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ringfence.databases.proposal import Protocol
from ringfence.ike.errors import IkeError
from ringfence.ike.exchange import Check, Message, Stepper, accept
from ringfence.ike.payload import Payload
from ringfence.ike.v2.child import Negotiated
from ringfence.ike.v2.initial import Agreed
from ringfence.ike.v2.mobike import Proven, Updated
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.rekey import Successor
from ringfence.ike.window import Patience, Repeater
from ringfence.ike.wishes import Wish
from ringfence.net.address import Path

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Running(Generic[T]):
    """One exchange; IKE_SA_INIT and IKE_AUTH are one."""

    kind: Kind
    stepper: Stepper[T]
    patience: Patience
    initiator: bool = True
    """Whether we began it."""
    wish: Wish | None = None
    """What we began it for."""
    turn: Kind | None = None
    """Exchange type of the message that is under way, or awaited, where it is another one."""
    rekeys_ike: bool = False
    """Whether it is about a successor of the IKE SA itself."""
    abandoned: bool = False
    """Whether nobody wants its result any more; the answer is awaited all the same, for requests are numbered."""
    message_id: int = 0
    said: tuple[Payload, ...] = ()
    sent: tuple[bytes, ...] = ()
    sent_words: str = ""
    repeats: int = 0
    """How often that was said again."""
    check: Check = accept
    child_id: int | None = None
    """The contract that it has prepared."""
    life_ends: float | None = None
    """When it must be over, where a peer began it."""
    doubt: IkeError | None = None
    """A sign that it comes to nothing, such as an unauthenticated answer."""
    doubt_ends: float | None = None
    moves: bool = False
    """Whether it is about the path."""
    probes: bool = False
    """Whether all it asks is whether the peer is there."""
    ticket: int = 0
    """Of the question to the host that it waits for; 0 for none."""
    asked: Message | None = None
    """The peer's request that it is to answer when it knows that."""
    asked_by: Path | None = None
    """Where that came from."""
    deletes: tuple[tuple[Protocol, int], ...] = ()
    """Inbound SAs of ours that it tells the peer are gone."""
    last: bool = False
    """Whether the IKE SA ends with it."""
    repeater: Repeater = field(init=False)

    def __post_init__(self) -> None:
        self.repeater = Repeater(self.patience)

    @property
    def wire(self) -> Kind:
        """Exchange type of the message that is under way, or awaited."""
        return self.turn or self.kind

    @property
    def next_timer(self) -> float | None:
        """When something is to be done even if nothing comes."""
        times = self.repeater.due, self.life_ends, self.doubt_ends
        return min((when for when in times if when is not None), default=None)

    def silence(self) -> str:
        """What it means that the peer does not answer."""
        if self.kind is Kind.IKE_SA_INIT:
            return "no answer: nobody there speaks IKEv2, its policy does not know us, or something drops UDP port 500"
        if self.probes:
            return f"it did not answer {self.patience.tries} questions whether it is there"
        return f"no answer to {self.wire.name}"


AnyRunning = (
    Running[Agreed] | Running[Negotiated] | Running[Successor] | Running[Message] | Running[Updated] | Running[Proven]
)
