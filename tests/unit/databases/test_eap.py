# SPDX-License-Identifier: Apache-2.0
"""What a way by EAP says of itself."""

from ringfence.databases.eap import EapAuth, EapMethod, EapUser, RadiusServer, Users
from ringfence.secret import Secret


def test_methods_that_make_a_key():
    assert {one for one in EapMethod if one.makes_key} == {EapMethod.MSCHAPV2, EapMethod.TLS}


def test_a_password_does_not_prove_the_gateway():
    assert {one for one in EapMethod if one.proves_both} == {EapMethod.TLS}


def test_people_read_the_methods_and_no_secret():
    way = EapAuth(
        (EapMethod.TLS, EapMethod.MSCHAPV2), user=EapUser("alice", Secret(b"hush")),
        directory=(RadiusServer("main", "192.0.2.1", Secret(b"hush")),),
    )  # fmt: skip
    assert str(way) == "EAP tls or mschapv2"
    assert "hush" not in repr(way)
    assert "hush" not in repr(Users("users.toml", {"alice": Secret(b"hush")}))
