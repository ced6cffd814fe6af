# SPDX-License-Identifier: Apache-2.0
from ringfence.audit import AddressAssigned, AddressWithdrawn


def test_what_is_told_of_an_address() -> None:
    words = {"rule": "office", "addresses": "10.9.0.7", "servers": "", "domains": "", "left_out": ""}
    assert str(AddressAssigned(**words)) == 'this computer has 10.9.0.7 by rule "office"'
    words |= {"servers": "10.1.0.53", "domains": "corp.example", "left_out": "192.0.2.53"}
    assert str(AddressAssigned(**words)) == (
        'this computer has 10.9.0.7 by rule "office", and asks 10.1.0.53 for names in corp.example; '
        "not 192.0.2.53, for what is sent there is not protected"
    )
    gone = AddressWithdrawn(rule="office", addresses="10.9.0.7")
    assert str(gone) == 'this computer has 10.9.0.7 no longer, which it had by rule "office"'
