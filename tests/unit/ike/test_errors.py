# SPDX-License-Identifier: Apache-2.0
"""Each error is one consequence and one reason."""

import pytest

from ringfence.errors import IpsecError
from ringfence.ike.errors import Aborted, Ignored, IkeError, Reason, Refused


@pytest.mark.parametrize("kind", [Ignored, Refused, Aborted])
def test_an_error_says_what_and_why(kind):
    error = kind(Reason.MALFORMED, "half a message", place="192.0.2.1", cure="Ask the peer.")
    assert isinstance(error, IkeError)
    assert isinstance(error, IpsecError)
    assert error.reason is Reason.MALFORMED
    assert str(error) == "192.0.2.1: half a message\nAsk the peer."


def test_reasons_have_names_of_their_own():
    assert len({reason.value for reason in Reason}) == len(Reason)
