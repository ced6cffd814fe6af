# SPDX-License-Identifier: Apache-2.0
"""A gateway with peers whose addresses it does not know: they begin, and each gets its own traffic only."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, ALICE6, BOB, BOB6, Pair, watch, watched
from integration.service_lab import Service, document, ping

from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

INNER, INNER6 = "10.9.0.1", "fd09::1"
"""In the network behind the gateway, which is bob."""
OTHER = "10.77.1.9"
"""Another address of alice's side."""


def tunnel(name: str, local: tuple[str, str], remote: tuple[str, str]) -> str:
    ends = (f'{{ networks = "{nets}", gateway = "{gateway}" }}' for nets, gateway in (local, remote))
    return '[[rule]]\nname = "{}"\nlocal = {}\nremote = {}\nauth = {{ psk-file = "lab.psk" }}\n'.format(name, *ends)


GATEWAY = tunnel("roaming", ("10.9.0.0/24", BOB), ("10.77.1.0/24", "any")) + tunnel(
    "roaming, IPv6", ("fd09::/64", BOB6), ("fd77:1::/64", "any")
)
ROAMING = tunnel("home", (ALICE, "me"), ("10.9.0.0/24", BOB)) + tunnel(
    "home, IPv6", (ALICE6, ALICE6), ("fd09::/64", BOB6)
)
ROAMING = ROAMING.replace('gateway = "me"', f'gateway = "{ALICE}"')


@pytest.fixture
def ends(pair: Pair, tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    """Who roams, and the gateway."""
    alice, router, bob = pair
    for address in (f"{INNER}/32", f"{INNER6}/128"):
        bob.run("ip", "address", "add", address, "dev", "lo")
    for net, through in (("10.9.0.0/24", BOB), ("fd09::/64", BOB6)):
        router.run("ip", "route", "add", net, "via", through)
    watch(router)
    found = tuple(
        Service(host, document(tmp_path / host.name, text)) for host, text in ((alice, ROAMING), (bob, GATEWAY))
    )
    yield found[0], found[1]
    for one in found:
        one.stop()


def from_inside(bob: Host, source: str, target: str) -> int:
    """Pings of the network behind the gateway that are answered."""
    return int(
        bob.run("ping", "-c1", "-W1", "-I", source, target, check=False).stdout.split(" received")[0].split()[-1]
    )


def test_who_roams_begins_and_is_reached_then(pair: Pair, ends: tuple[Service, Service]) -> None:
    alice, router, bob = pair
    watched(router)
    assert not from_inside(bob, INNER, ALICE), "nobody knows where it is"
    for target in (INNER, INNER6):
        assert ping(alice, target, count=2) == 2
    for source, target in ((INNER, ALICE), (INNER6, ALICE6)):
        assert from_inside(bob, source, target)
    assert not from_inside(bob, INNER, OTHER), "this one has no tunnel"
    assert watched(router)["protected"] >= 8
    assert f"{INNER} -> {OTHER}: no-sa" in str(ends[1].events("packet-dropped"))
