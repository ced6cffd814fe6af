# SPDX-License-Identifier: Apache-2.0
"""Dead peer detection under one IKE SA (RFC 3706): R-U-THERE asks, R-U-THERE-ACK with the same number answers.

Every question is a message of its own, with the next sequence number, also the one that repeats a question (§7): so an
answer that somebody has kept back proves nothing later. An answer to any question of the present silence counts, since
it may have crossed the next one. Whoever asks us is answered, whatever its number: its message is authentic and came
once. Nor do the cookies in a question matter, which some peers get wrong.
"""

from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.exchange import Env
from ringfence.ike.happening import PeerSilent
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import IPSEC_DOI, NotifyPayload, ProtocolId
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.window import Patience, Repeater

SEQUENCE_OCTETS = 4
NUMBERS = 1 << 8 * SEQUENCE_OCTETS
FIRST_BELOW = NUMBERS // 2
"""The first number is random, with its top bit clear, so that it does not wrap soon (§6.1)."""


class Probe:
    """Asks one peer whether it is there, and answers it."""

    def __init__(self, voice: Speaker, env: Env) -> None:
        self._voice = voice
        self._env = env
        self._last: int | None = None
        """The last sequence number of ours."""
        self._open: list[int] = []
        """Those of the present silence."""
        self._repeater: Repeater | None = None

    @property
    def due(self) -> float | None:
        """When to ask again."""
        return None if self._repeater is None else self._repeater.due

    def ask(self, patience: Patience) -> None:
        """Ask, unless we do already; asked again as ``patience`` has it."""
        if self._repeater is None:
            self._repeater = Repeater(patience)
            self._repeater.sent(self._env.now)
            self._say(Notify.R_U_THERE, self._next())

    def tick(self) -> None:
        """Ask again if it is time, or give up."""
        repeater, now = self._repeater, self._env.now
        if repeater is None or repeater.due is None or repeater.due > now:
            return
        if repeater.again(now):
            self._say(Notify.R_U_THERE, self._next())
            return
        asked = len(self._open)
        self.answered()
        questions = "once" if asked == 1 else f"{asked} times"
        self._voice.emit(PeerSilent(f"asked {questions} whether it is there, it did not answer"))

    def answered(self) -> None:
        """The peer is there."""
        self._repeater = None
        self._open.clear()

    def take(self, notify: NotifyPayload) -> None:
        """A question or an answer under the keys; raises Ignored for what is neither."""
        if len(notify.data) != SEQUENCE_OCTETS or notify.protocol != ProtocolId.ISAKMP:
            raise Ignored(Reason.MALFORMED, "a question whether we are there, or its answer, has no sequence number")
        number = int.from_bytes(notify.data)
        if notify.kind == Notify.R_U_THERE:
            self._say(Notify.R_U_THERE_ACK, number)
        elif number in self._open:
            self.answered()
        else:
            raise Ignored(Reason.UNEXPECTED, f"the peer says that it is there to question {number}, which nobody asks")

    def _next(self) -> int:
        if self._last is None:
            self._last = self._env.number(SEQUENCE_OCTETS) % FIRST_BELOW
        else:
            self._last = (self._last + 1) % NUMBERS
        self._open.append(self._last)
        return self._last

    def _say(self, kind: Notify, number: int) -> None:
        spi = b"".join(self._voice.cookies)
        self._voice.inform(NotifyPayload(IPSEC_DOI, ProtocolId.ISAKMP, spi, kind, number.to_bytes(SEQUENCE_OCTETS)))
