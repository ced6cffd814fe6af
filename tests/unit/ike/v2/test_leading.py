# SPDX-License-Identifier: Apache-2.0
"""Which notifies in an answer to IKE_SA_INIT say something that we can do."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.leading import group_in, said
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload


@pytest.mark.parametrize(
    ("data", "group"), [(b"\0\x13", DhGroup.ECP_256), (b"\0\x0e", None), (b"\x13", None), (b"", None)]
)
def test_another_group_is_one_of_ours_or_none(data, group) -> None:
    notify = NotifyPayload(Notify.INVALID_KE_PAYLOAD, data)
    assert group_in(notify, (DhGroup.CURVE25519, DhGroup.ECP_256)) is group


def test_the_first_of_a_kind_counts() -> None:
    words = [NotifyPayload(Notify.COOKIE, data) for data in (b"one", b"two")]
    chain = Chain(tuple(Decoded(word, b"") for word in words))
    assert said(chain, Notify.COOKIE) is words[0]
    assert said(chain, Notify.REDIRECT) is None
