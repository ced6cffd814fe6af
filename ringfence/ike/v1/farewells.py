# SPDX-License-Identifier: Apache-2.0
"""Deletes that are repeated until the peer says that it has heard them ([MS-IKEE] §3.8).

    { HASH(1), Ni, D }                    ->
                                          <-     { HASH(2), Nr, D }

RFC 2408 has no answer to a delete, so one that gets lost leaves SAs behind at the other side. Windows answers one that
has a nonce, under the same message id, by a hash with that nonce. Only who is known to do so is asked: others may
stumble over the nonce, and would be told again for nothing. An IKE SA lives on, for this alone, until its own delete is
heard.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.crypto.integrity import same
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.header import Header
from ringfence.ike.payload import Payload
from ringfence.ike.v1.conversation import Conversation
from ringfence.ike.v1.hearing import NONCE_OCTETS
from ringfence.ike.v1.payloads import DeletePayload, HashPayload, NoncePayload
from ringfence.ike.v1.rules import INFORMATIONAL
from ringfence.ike.v1.speaker import Said, Speaker
from ringfence.ike.window import Patience, Repeater

PATIENCE = Patience(tries=7)
"""As Windows has it: six repetitions, the first after a second."""


@dataclass(slots=True)
class _Farewell:
    payloads: tuple[Payload, ...]
    said: Said
    nonce: bytes
    repeater: Repeater


class Farewells:
    """Those of one IKE SA that are not heard yet."""

    def __init__(self, voice: Speaker, talk: Conversation) -> None:
        self._voice = voice
        self._talk = talk
        self._open: dict[int, _Farewell] = {}

    def __contains__(self, message_id: int) -> bool:
        return message_id in self._open

    def __len__(self) -> int:
        return len(self._open)

    @property
    def next_timer(self) -> float | None:
        """When to repeat one."""
        return min((one.repeater.due for one in self._open.values() if one.repeater.due is not None), default=None)

    def tell(self, children: Iterable[Payload], itself: Iterable[Payload], *, reliably: bool) -> None:
        """Tell of contracts, and then of the IKE SA, that they are gone; once only, unless ``reliably``."""
        for payload in children:
            self.say(payload) if reliably else self._voice.inform(payload)
        for payload in itself:
            self.say_last(payload) if reliably else self._voice.inform(payload)

    def say(self, *payloads: Payload) -> None:
        """Say it until it is heard."""
        nonce = self._voice.env.random(NONCE_OCTETS)
        said = self._voice.inform(NoncePayload(nonce), *payloads)
        if said is not None:
            repeater = Repeater(PATIENCE)
            repeater.sent(self._voice.env.now)
            self._open[said.message_id] = _Farewell(payloads, said, nonce, repeater)

    def say_last(self, payload: Payload) -> None:
        """Say that the IKE SA itself is gone, and with it all that is not heard yet: behind it, nothing would be."""
        unheard = [one for farewell in self._open.values() for one in farewell.payloads]
        self._open.clear()
        self.say(*unheard, payload)

    def receive(self, header: Header, datagram: bytes) -> None:
        """Take an answer; raises IkeError for what is none."""
        keys, farewell = self._talk.keys(), self._open[header.message_id]
        message, _ = self._talk.open(INFORMATIONAL, header, datagram, farewell.said.iv)
        expected = keys.acknowledging_hash(header.message_id, farewell.nonce, message.chain.behind_first())
        if message.chain.maybe(NoncePayload) is None or message.chain.maybe(DeletePayload) is None:
            raise Ignored(Reason.UNEXPECTED, "the answer to a delete repeats no delete")
        if not same(message.chain.one(HashPayload).data, expected):
            raise Ignored(Reason.BAD_HASH, "the hash of an answer to a delete is wrong")
        del self._open[header.message_id]
        self._voice.heard_information(message.chain, datagram, encrypted=True)

    def tick(self) -> None:
        """Repeat what is not heard, or let it be."""
        now = self._voice.env.now
        for message_id, farewell in list(self._open.items()):
            if farewell.repeater.due is None or farewell.repeater.due > now:
                continue
            if farewell.repeater.again(now):
                self._voice.inform_again(farewell.said)
            else:
                del self._open[message_id]
