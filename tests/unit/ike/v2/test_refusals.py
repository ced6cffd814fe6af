# SPDX-License-Identifier: Apache-2.0
"""Error notifies are found among others, and each says its reason."""

import pytest

from ringfence.ike.errors import Reason
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.ike.v2.refusals import REASONS, refusal, refused_by_peer


def test_words_are_no_refusals():
    word, error = NotifyPayload(Notify.INITIAL_CONTACT), NotifyPayload(Notify.TS_UNACCEPTABLE)
    assert refusal(Chain((Decoded(word, b""),))) is None
    assert refusal(Chain((Decoded(word, b""), Decoded(error, b"")))) == error


@pytest.mark.parametrize(("kind", "reason"), [*REASONS.items(), (Notify.INVALID_SYNTAX, Reason.PEER_REFUSED)])
def test_each_has_its_reason(kind, reason):
    said = refused_by_peer(NotifyPayload(kind))
    assert said.reason is reason
    assert kind.name in said.message
