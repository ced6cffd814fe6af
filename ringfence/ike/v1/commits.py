# SPDX-License-Identifier: Apache-2.0
"""The commit bit (RFC 2408 §3.1): a peer that sets it in a quick mode says in the end when it has all it needs.

That is CONNECTED, as a fourth message of the quick mode with or without a HASH (Windows, [MS-IKEE] figure 6), or as an
informational message. It is not insisted on, for it may get lost and is not repeated: until it comes, or for a moment,
we do not send by the new SAs. So nothing is believed that could do more than make us send a little sooner.
"""

from ringfence.crypto.integrity import same
from ringfence.ike.errors import Ignored, IkeError, Reason
from ringfence.ike.exchange import Message
from ringfence.ike.happening import Connected
from ringfence.ike.header import Header
from ringfence.ike.v1.conversation import Conversation
from ringfence.ike.v1.keys import MainKeys
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import HashPayload, NotifyPayload
from ringfence.ike.v1.rules import QUICK_MODE
from ringfence.ike.v1.running import AnyRunning
from ringfence.ike.v1.speaker import Speaker

REMEMBERED = 16


class Commits:
    """The quick modes of one IKE SA that are over but for the last word of a peer with the commit bit."""

    def __init__(self, voice: Speaker, talk: Conversation) -> None:
        self._voice = voice
        self._talk = talk
        self._waiting: dict[int, tuple[int, bytes]] = {}
        """The contract and the next IV, by message id."""

    def __contains__(self, message_id: int) -> bool:
        """Whether the last word of that quick mode is still to come."""
        return message_id in self._waiting

    def add(self, running: AnyRunning, child_id: int) -> None:
        """A quick mode is over but for that."""
        if len(self._waiting) >= REMEMBERED:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[running.message_id] = child_id, running.iv

    def receive(self, header: Header, datagram: bytes) -> None:
        """Take the last word; raises IkeError for what is none."""
        child_id, iv = self._waiting[header.message_id]
        message = self._opened(header, datagram, iv)
        _check(self._talk.keys(), message)
        if not any(notify.kind == Notify.CONNECTED for notify in message.chain.all(NotifyPayload)):
            raise Ignored(Reason.UNEXPECTED, "the last message of a quick mode does not say CONNECTED")
        del self._waiting[header.message_id]
        self._voice.heard_information(message.chain, datagram, encrypted=True)
        self._voice.emit(Connected(child_id))

    def _opened(self, header: Header, datagram: bytes, iv: bytes) -> Message:
        """By the quick mode's next IV, or by a first one as other messages of its own have."""
        try:
            return self._talk.open(QUICK_MODE[3], header, datagram, iv)[0]
        except IkeError:
            first = self._voice.phase2_iv(header.message_id)
            return self._talk.open(QUICK_MODE[3], header, datagram, first)[0]


def _check(keys: MainKeys, message: Message) -> None:
    """A HASH, where there is one, is of one of the two kinds that are said to be right; raises Ignored."""
    proof = message.chain.maybe(HashPayload)
    if proof is None:
        return
    number, rest = message.header.message_id, message.chain.behind_first()
    if not any(same(proof.data, each) for each in (keys.phase2_hash(number, b"", rest), keys.connected(number, rest))):
        raise Ignored(Reason.BAD_HASH, "the hash of a quick mode's last message is wrong")
