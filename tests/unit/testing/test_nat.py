# SPDX-License-Identifier: Apache-2.0
"""A NAT gives each inside port another one outside, and lets in only what has a mapping."""

from ringfence.net.address import Endpoint, Path, parse_address
from ringfence.testing.nat import MemoryNat
from ringfence.testing.network import path_between

INSIDE, OUTSIDE, PUBLIC = "192.168.1.2", "192.0.2.2", "198.51.100.1"


def turned(path):
    return Path(path.remote, path.local)


def test_out_and_back():
    nat = MemoryNat(PUBLIC, [INSIDE])
    path = path_between(INSIDE, OUTSIDE)
    seen = nat.outward(path)
    assert seen.local.address == parse_address(PUBLIC)
    assert seen.local.port != 500
    assert nat.outward(path) == seen
    assert nat.outward(path_between(INSIDE, OUTSIDE, 4500)).local != seen.local
    assert nat.inward(turned(seen)) == turned(path)


def test_nothing_comes_in_unasked():
    nat = MemoryNat(PUBLIC, [INSIDE])
    assert nat.inward(path_between(OUTSIDE, PUBLIC)) is None
    assert nat.inward(path_between(OUTSIDE, "192.0.2.9")) == path_between(OUTSIDE, "192.0.2.9")


def test_inside_and_outside_are_left_alone():
    nat = MemoryNat(PUBLIC, [INSIDE, "192.168.1.3"])
    for path in (path_between(INSIDE, "192.168.1.3"), path_between(OUTSIDE, "192.0.2.9")):
        assert nat.outward(path) == path


def test_ports_that_lead_inside():
    nat = MemoryNat(PUBLIC, [INSIDE], forward_to=INSIDE)
    assert nat.inward(path_between(OUTSIDE, PUBLIC, 4500)) == path_between(OUTSIDE, INSIDE, 4500)
    assert nat.outward(path_between(INSIDE, OUTSIDE, 4500)).local == Endpoint(parse_address(PUBLIC), 4500)


def test_a_new_port_after_it_has_forgotten():
    nat = MemoryNat(PUBLIC, [INSIDE])
    before = nat.outward(path_between(INSIDE, OUTSIDE))
    nat.forget()
    assert nat.inward(turned(before)) is None
    assert nat.outward(path_between(INSIDE, OUTSIDE)) != before
