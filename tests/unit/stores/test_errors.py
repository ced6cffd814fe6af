# SPDX-License-Identifier: Apache-2.0
from ringfence.errors import IpsecError
from ringfence.stores.errors import StoreError


def test_a_store_error_says_where() -> None:
    error = StoreError("it cannot be read", place="/etc/p.toml")
    assert isinstance(error, IpsecError)
    assert str(error) == "/etc/p.toml: it cannot be read"
