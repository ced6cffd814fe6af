# SPDX-License-Identifier: Apache-2.0
"""Passwords as they are, against what is kept."""

import pytest

from ringfence.credentials.eap import gtc
from ringfence.credentials.eap.errors import Denied
from ringfence.crypto.mschap import nt_hash
from ringfence.secret import Secret


def test_the_peer_says_its_password():
    assert next(gtc.answer(Secret(b"secret"))).data == b"secret"


@pytest.mark.parametrize("kept", [Secret("Pässwort".encode()), nt_hash("Pässwort")])
def test_a_password_or_its_hash_is_kept(kept):
    assert gtc.matches("Pässwort".encode(), kept)
    assert not gtc.matches(b"other", kept)
    assert not gtc.matches(b"\xff", kept)
    assert not gtc.matches(b"", kept)


@pytest.mark.parametrize("kept", [Secret(b"secret"), None])
def test_the_wrong_one_is_denied(kept):
    asking = gtc.ask(kept)
    assert next(asking) == b"Password"
    with pytest.raises(Denied):
        asking.send(b"")
