# SPDX-License-Identifier: Apache-2.0
"""Which side is this computer."""

import pytest

from ringfence.policy.errors import BadWord
from ringfence.transfer.ipsecconf.sides import check, is_strongswan, own_side
from ringfence.transfer.ipsecconf.syntax import parse


@pytest.mark.parametrize(
    ("left", "right", "me", "strongswan", "side", "said"),
    [
        ("192.0.2.1", "%any", "", False, "left", False),
        ("%any", "192.0.2.1", "", False, "right", True),
        ("%any", "192.0.2.1", "", True, "left", False),
        ("192.0.2.1", "%defaultroute", "", False, "right", False),
        ("%defaultroute", "192.0.2.1", "", True, "left", False),
        ("192.0.2.1", "192.0.2.2", "", False, "left", True),
        ("", "", "", True, "left", True),
        ("192.0.2.1", "192.0.2.2", "192.0.2.2", False, "right", False),
        ("192.0.2.1", "192.0.2.2", "right", False, "right", False),
        ("192.0.2.1", "%any", "192.0.2.9", False, "right", True),
        ("%any", "192.0.2.2", "192.0.2.9", False, "left", True),
        ("%defaultroute", "192.0.2.2", "192.0.2.9", False, "left", False),
        ("%any", "%any", "192.0.2.9", False, "left", True),
    ],
)
def test_sides(left: str, right: str, me: str, strongswan: bool, side: str, said: bool) -> None:
    (conn,) = parse(f"conn x\n left={left}\n right={right}\n", "x").conns()
    found, why = own_side(conn, check(me), strongswan=strongswan)
    assert (found, bool(why)) == (side, said)


def test_what_may_be_said() -> None:
    assert [check(word) for word in ("", "Left", "2001:DB8::1")] == ["", "left", "2001:db8::1"]
    with pytest.raises(BadWord):
        check("here")


def test_whose_file_it_is() -> None:
    assert is_strongswan(parse("conn x\n keyexchange=ikev1\n leftauth=psk\n", "x"))
    assert not is_strongswan(parse("conn x\n ikev2=no\n phase2alg=aes\n", "x"))
