# SPDX-License-Identifier: Apache-2.0
"""Errors say what is wrong and what to do."""

from ringfence.stores.directory.errors import StillReferenced
from ringfence.stores.errors import StoreError


def test_who_still_refers_is_named():
    error = StillReferenced("CN=a", ["CN=b", "CN=c"])
    assert isinstance(error, StoreError)
    assert str(error).startswith("CN=a is in use by CN=b, CN=c\n")
