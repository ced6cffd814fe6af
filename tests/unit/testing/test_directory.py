# SPDX-License-Identifier: Apache-2.0
"""Objects for tests are changed, left out and found by name."""

import pytest

from ringfence.stores.directory.changes import Add, Delete, Replace
from ringfence.stores.directory.objects import Class, Entry
from ringfence.testing.directory import called, carried_out, changed, without

ONE = Entry.of("CN=a,DC=x", {"objectClass": [b"ipsecFilter"], "ipsecName": [b"SQL"], "ipsecData": [b"1"]})
TWO = Entry.of("CN=b,DC=x", {})


def test_objects():
    first, second = changed([ONE, TWO], "a", ipsecName=None, ipsecData=b"2")
    assert (first.octets("ipsecName"), first.octets("ipsecData"), second) == (None, b"2", TWO)
    assert without([ONE, TWO], "b") == [ONE]
    assert called([ONE, TWO], Class.FILTER, "SQL") is ONE
    with pytest.raises(ValueError):
        called([ONE, TWO], Class.FILTER, "other")


def test_changes_are_carried_out_as_a_server_would():
    names = {"ipsecfilterreference": (b"CN=b,DC=x",)}
    after = carried_out([ONE, TWO], [Replace("CN=a,DC=x", {"ipsecname": (), **names}), Add("CN=c", {})])
    assert [one.dn for one in after] == ["CN=a,DC=x", "CN=b,DC=x", "CN=c"]
    assert after[0].texts("ipsecFilterReference") == ("CN=b,DC=x",)
    assert after[0].octets("ipsecName") is None
    assert carried_out([ONE], [Delete("cn=A,dc=X")]) == []
    for wrong in (Add("CN=a,DC=x", {}), Delete("CN=z"), Replace("CN=a,DC=x", {"ipsecfilterreference": (b"CN=z",)})):
        with pytest.raises(ValueError, match="there"):
            carried_out([ONE, TWO], [wrong])
