# SPDX-License-Identifier: Apache-2.0
"""What the host works with, as it sees it; ``app`` says which classes these are."""

from collections.abc import Iterable
from typing import Protocol

from ringfence.crypto.suites import Authenticator, Cipher
from ringfence.databases.pad import Pad
from ringfence.databases.proposal import Protocol as SecurityProtocol
from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import Spd
from ringfence.ike.effects import Answer, Effect
from ringfence.net.address import Path
from ringfence.net.flow import FlowKey
from ringfence.secret import Secret


class Ike(Protocol):
    """The IKE engine, as the host uses it."""

    def apply(self, spd: Spd, pad: Pad, now: float) -> list[Effect]:
        """Follow a new policy."""

    def receive(self, datagram: bytes, path: Path, now: float) -> list[Effect]:
        """Take a message, without non-ESP marker."""

    def acquire(self, entry: str, flow: FlowKey, now: float) -> list[Effect]:
        """Negotiate SAs for a flow."""

    def rekey_child(self, child_id: int, now: float, why: str) -> list[Effect]:
        """Negotiate successors."""

    def child_expired(self, child_id: int, now: float, why: str) -> list[Effect]:
        """SAs reached their hard limit."""

    def child_unanswered(self, child_id: int, now: float) -> list[Effect]:
        """Packets go out, and none come in."""

    def child_answered(self, child_id: int, now: float) -> list[Effect]:
        """After that something came in."""

    def child_moved(self, child_id: int, path: Path, now: float) -> list[Effect]:
        """An authentic packet of a contract came by another path."""

    def disconnected(self, path: Path, now: float) -> list[Effect]:
        """There is no TCP connection of that path."""

    def delete_child(self, child_id: int, now: float, why: str) -> list[Effect]:
        """End the SAs of a quick mode."""

    def unknown_spi(self, protocol: SecurityProtocol, spi: int, path: Path, now: float) -> list[Effect]:
        """A packet came by an SA that does not exist."""

    def drain(self, to: bytes | None, now: float) -> list[Effect]:
        """Send all clients to the gateway ``to``, now and when they come in; None: no more."""

    def delete_ike(self, ike_id: int, now: float, why: str) -> list[Effect]:
        """End a main mode SA and what was made under it."""

    def shut_down(self, now: float) -> list[Effect]:
        """Take leave of every peer."""

    def answered(self, ticket: int, answer: Answer, now: float) -> list[Effect]:
        """The answer to a question of it."""

    def tick(self, now: float) -> list[Effect]:
        """Do what is due."""

    def next_timer(self) -> float | None:
        """When something is due next."""


class PacketPath(Protocol):
    """The backend, as the host uses it."""

    async def apply(self, spd: Spd) -> None:
        """Follow a new policy."""

    def install_inbound(self, child: ChildSa) -> None:
        """Accept packets by it."""

    def install_outbound(self, child: ChildSa) -> None:
        """Send by it."""

    def remove(self, child_id: int) -> None:
        """Forget it."""

    def assign(self, number: int, peer: str, addresses: tuple[bytes, ...]) -> None:
        """These addresses are this host's."""

    def withdraw(self, number: int) -> None:
        """They are no more."""

    def acquire_failed(self, entry: str, flow: FlowKey) -> None:
        """No SA can be had."""


class Streams(Protocol):
    """TCP connections, as the host uses them."""

    def listen(self, ports: Iterable[int]) -> None:
        """Take connections at these ports alone."""

    @property
    def ports(self) -> frozenset[int]:
        """Those."""

    def keep(self, path: Path) -> None:
        """A peer has proved itself by it."""

    def release(self, path: Path) -> None:
        """Nobody needs it any more."""


class KeyRecord(Protocol):
    """Where keys go for a packet analyser."""

    def ike(self, initiator_cookie: bytes, key: Secret) -> None:
        """What decrypts a main mode."""

    def ike_v2(
        self, spis: tuple[bytes, bytes], cipher: Cipher, authenticator: Authenticator | None, keys: tuple[Secret, ...]
    ) -> None:
        """What decrypts an IKE SA of IKEv2: ``ei er ai ar``."""

    def child(self, child: ChildSa) -> None:
        """What decrypts ESP."""
