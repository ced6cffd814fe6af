# SPDX-License-Identifier: Apache-2.0
"""How events name a peer."""

from ringfence.ike.info import made_room, peer_of
from ringfence.testing.network import path_between


def test_the_port_is_only_said_where_it_is_not_ikes():
    assert peer_of(path_between("192.0.2.1", "192.0.2.2")) == "192.0.2.2"
    assert peer_of(path_between("192.0.2.1", "192.0.2.2", 4500)) == "192.0.2.2"
    assert peer_of(path_between("192.0.2.1", "192.0.2.2", 20000)) == "192.0.2.2:20000"
    assert peer_of(path_between("2001:db8::1", "2001:db8::2")) == "2001:db8::2"


def test_who_made_room_is_told_by_its_address():
    event = made_room(path_between("192.0.2.1", "192.0.2.2"))
    assert (event.peer, event.reason) == ("192.0.2.2", "too-many-half-open")
