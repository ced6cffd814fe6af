# SPDX-License-Identifier: Apache-2.0
"""What a peer says by itself under one IKE SA: deletes, notifies, questions whether we are there.

Under the keys it is the peer's word, once: a message id is used for one message, so nothing is played again. In clear
it is believed by nobody; it may make us less patient, or curious.
"""

from collections.abc import Callable

from ringfence.databases.proposal import Limits
from ringfence.ike.errors import Ignored, IkeError, Reason
from ringfence.ike.exchange import Message
from ringfence.ike.happening import FirstContact, PeerDeleted, PeerDeletedIke, Shortened, Suspicion
from ringfence.ike.header import Header
from ringfence.ike.v1 import beginning, informational, main_mode
from ringfence.ike.v1.conversation import Conversation
from ringfence.ike.v1.keys import MainKeys
from ringfence.ike.v1.lifetimes import said
from ringfence.ike.v1.notifies import SUSPICIOUS, Notify
from ringfence.ike.v1.payloads import DeletePayload, NoncePayload, NotifyPayload
from ringfence.ike.v1.probe import Probe
from ringfence.ike.v1.rules import INFORMATIONAL, INFORMATIONAL_IN_CLEAR
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.v1.stranger import cookie_in, spi_denied_by

NONCE_OCTETS = 32


class Hearing:
    """Takes informational messages."""

    def __init__(self, voice: Speaker, talk: Conversation, probe: Probe, confirm: Callable[[], None]) -> None:
        """``confirm`` is called for each authentic message."""
        self._voice = voice
        self._talk = talk
        self._probe = probe
        self._confirm = confirm

    def receive(self, header: Header, datagram: bytes) -> None:
        """Take a message; raises IkeError for what is none."""
        if header.encrypted:
            self._receive_information(header, datagram)
        else:
            self._receive_hint(header, datagram)

    def _receive_information(self, header: Header, datagram: bytes) -> None:
        try:
            message, iv = self._informed(self._talk.keys(), header, datagram)
        except IkeError:
            if self._talk.main is not None and not self._talk.main.signed:
                self._talk.doubt(main_mode.wrong_key("it answers with something that cannot be read"), tell=False)
            raise
        self._voice.heard_information(message.chain, datagram, encrypted=True)
        self._confirm()
        if all(message.chain.maybe(kind) is not None for kind in (NoncePayload, DeletePayload)):
            fresh = self._voice.env.random(NONCE_OCTETS)
            answer = informational.acknowledgement(self._talk.keys(), message, fresh)
            self._voice.acknowledge(datagram, header.message_id, iv, answer)
        for notify in message.chain.all(NotifyPayload):
            self._take_notify(notify)
        limits = said(message.chain, main=True)
        if self._talk.main is None and limits != Limits():
            self._voice.emit(Shortened(limits))
        for deleted in informational.deletions(message):
            match deleted:
                case informational.Deleted(protocol, spis):
                    self._voice.emit(PeerDeleted(protocol, spis))
                case informational.DeletedIke(cookies):
                    self._voice.emit(PeerDeletedIke(cookies))

    def _informed(self, keys: MainKeys, header: Header, datagram: bytes) -> tuple[Message, bytes]:
        """An informational message that is authentic and new, and its last block; raises IkeError."""
        if header.message_id in self._voice.ids:
            raise Ignored(Reason.USED_MESSAGE_ID, "an informational message that has come before")
        iv = self._voice.phase2_iv(header.message_id)
        message, iv = self._talk.open(INFORMATIONAL, header, datagram, iv)
        informational.check(keys, message)
        self._voice.ids.take(header.message_id)
        return message, iv

    def _take_notify(self, notify: NotifyPayload) -> None:
        """What a notify under the keys says; before main mode is over, the peer has not yet proved who it is."""
        if notify.kind in (Notify.R_U_THERE, Notify.R_U_THERE_ACK):
            if self._talk.main is not None:
                raise Ignored(Reason.UNEXPECTED, "a question whether we are there comes before main mode is over")
            self._probe.take(notify)
        elif notify.kind == Notify.INITIAL_CONTACT and self._talk.main is None:
            self._voice.emit(FirstContact())
        elif (denied := spi_denied_by(notify)) is not None:
            self._voice.emit(PeerDeleted(denied[0], (denied[1],)))
        elif notify.kind < Notify.CONNECTED:
            self._talk.refused(notify)

    def _receive_hint(self, header: Header, datagram: bytes) -> None:
        """A notify in clear: believed by nobody, but a reason to be less patient."""
        message, _ = self._talk.open(INFORMATIONAL_IN_CLEAR, header, datagram, b"")
        self._voice.heard_information(message.chain, datagram, encrypted=False)
        for notify in message.chain.all(NotifyPayload):
            name = informational.name_of(notify.kind)
            running = self._talk.main
            if (cookie := cookie_in(notify)) is not None:
                self._talk.begin_with(cookie)
            elif running is not None and notify.kind < Notify.CONNECTED:
                self._talk.doubt(beginning.refused(running, notify.kind), tell=False)
            elif running is None and notify.kind in SUSPICIOUS:
                self._voice.emit(Suspicion(name))
