# SPDX-License-Identifier: Apache-2.0
"""An exchange under way: where its generator stands, and what its messages need around them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ringfence.databases.sa import ChildSa
from ringfence.ike.errors import IkeError
from ringfence.ike.exchange import Check, Stepper, accept
from ringfence.ike.header import Exchange
from ringfence.ike.rules import MessageRule, Role
from ringfence.ike.v1.main_mode import Agreed
from ringfence.ike.v1.payloads import AttributesPayload
from ringfence.ike.v1.rules import FIRST_MODES, Proof
from ringfence.ike.window import Patience, Repeater
from ringfence.ike.wishes import Wish

T = TypeVar("T")

NAMES = {
    Exchange.MAIN: "main mode",
    Exchange.AGGRESSIVE: "aggressive mode",
    Exchange.QUICK: "quick mode",
    Exchange.INFORMATIONAL: "informational",
    Exchange.TRANSACTION: "mode config",
}


@dataclass(slots=True, eq=False)
class Running(Generic[T]):
    """One main mode, aggressive mode or quick mode."""

    kind: Exchange
    role: Role
    message_id: int
    stepper: Stepper[T]
    rules: Sequence[MessageRule]
    patience: Patience
    life_ends: float | None = None
    """When it must be over, where a peer began it."""
    wish: Wish | None = None
    """What we began it for."""
    number: int = 0
    """Of the last message, either way."""
    check: Check = accept
    sent: bytes = b""
    """The last message of ours."""
    sent_words: str = ""
    iv: bytes = b""
    heard: bytes = b""
    """The digest of the peer's last message."""
    ticket: int = 0
    """Of the question to the host that it waits for the answer of; 0 for none."""
    doubt: IkeError | None = None
    """An unauthenticated sign that it comes to nothing."""
    doubt_ends: float | None = None
    """When it ends because of that."""
    committed: bool = False
    """Whether the peer says when it has all it needs: the commit bit."""
    child_id: int | None = None
    """The contract that it has prepared."""
    peer_spi: tuple[int, bytes] = (0, b"")
    """Protocol and SPI of the peer's first proposal, to name in a notify."""
    cookies_left: int = 5
    """How often our first message is repeated with a cookie."""
    own_spis: frozenset[bytes] = frozenset()
    """Of our proposals, which a peer's notify may name."""
    repeater: Repeater = field(init=False)

    def __post_init__(self) -> None:
        self.repeater = Repeater(self.patience)

    @property
    def name(self) -> str:
        """What people call it."""
        return NAMES[self.kind]

    @property
    def initiator(self) -> bool:
        """Whether we began it."""
        return self.role is Role.INITIATOR

    @property
    def deadline(self) -> float | None:
        """When it must be over."""
        return min((when for when in (self.life_ends, self.doubt_ends) if when is not None), default=None)

    @property
    def next_timer(self) -> float | None:
        """When something is to be done even if nothing comes."""
        return min((when for when in (self.repeater.due, self.deadline) if when is not None), default=None)

    @property
    def signed(self) -> bool:
        """Whether it is a main or aggressive mode that signatures prove, as far as it is known."""
        return self.makes_ike_sa and self.rules is FIRST_MODES[self.kind][Proof.SIGNATURE]

    @property
    def makes_ike_sa(self) -> bool:
        """Whether it makes the IKE SA itself."""
        return self.kind in FIRST_MODES

    @property
    def shown(self) -> int:
        """Behind how many messages the peer has shown who it is."""
        return {(Exchange.MAIN, True): 6, (Exchange.MAIN, False): 5, (Exchange.AGGRESSIVE, True): 2}.get(
            (self.kind, self.initiator), 3
        )

    @property
    def first_encrypted(self) -> int:
        """Which message is the first that a peer with another key cannot read."""
        return 5 if self.kind is Exchange.MAIN else 3

    def next_rule(self) -> MessageRule | None:
        """The rule of the peer's next message; None where there is none to come."""
        return self.rules[self.number] if self.number < len(self.rules) else None

    def silence(self) -> str:
        """What it means that the peer does not answer."""
        if self.kind is Exchange.TRANSACTION:
            return "the peer does not say who its user is, or gives us no address"
        if self.kind is Exchange.QUICK:
            return f"no answer to quick mode message {self.number}"
        if self.number == 1:
            return "no answer: nobody there speaks IKE, its policy does not know us, or something drops UDP port 500"
        if self.kind is Exchange.AGGRESSIVE:
            return f"the peer fell silent after aggressive mode message {self.number}"
        if self.number == len(self.rules) - 1:
            if self.signed:
                return f"no answer since message {self.number}: the peer may not take our certificate, or have none"
            return (
                f"no answer since message {self.number}, the first that is encrypted: "
                "the peer may have another pre-shared key"
            )
        return f"the peer fell silent after main mode message {self.number}"


AnyRunning = Running[Agreed] | Running[ChildSa] | Running[AttributesPayload]
