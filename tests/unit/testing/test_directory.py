# SPDX-License-Identifier: Apache-2.0
"""Objects for tests are changed, left out and found by name."""

import pytest

from ringfence.stores.directory.objects import Class, Entry
from ringfence.testing.directory import called, changed, without

ONE = Entry.of("CN=a,DC=x", {"objectClass": [b"ipsecFilter"], "ipsecName": [b"SQL"], "ipsecData": [b"1"]})
TWO = Entry.of("CN=b,DC=x", {})


def test_objects():
    first, second = changed([ONE, TWO], "a", ipsecName=None, ipsecData=b"2")
    assert (first.octets("ipsecName"), first.octets("ipsecData"), second) == (None, b"2", TWO)
    assert without([ONE, TWO], "b") == [ONE]
    assert called([ONE, TWO], Class.FILTER, "SQL") is ONE
    with pytest.raises(ValueError):
        called([ONE, TWO], Class.FILTER, "other")
