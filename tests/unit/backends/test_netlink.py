# SPDX-License-Identifier: Apache-2.0
"""What netlink says, as values; reading needs no privilege, the rest is for the tests with namespaces."""

import asyncio
from typing import Any

from ringfence.backends.netlink import INVERT, Netlink, _destination, _oif, _own_route, _rules
from ringfence.backends.routes import OwnRoute


class Message(dict[str, Any]):
    def get_attr(self, key: str) -> Any:
        return self.get(key)


def test_own_routes() -> None:
    metrics = Message(RTAX_MTU=1400)
    route = Message(
        type=1, dst_len=8, RTA_DST="10.0.0.0", RTA_OIF=7, RTA_METRICS=metrics, RTA_PREFSRC="192.0.2.1",
    )  # fmt: skip
    assert _own_route(route, 4, 7, False) == OwnRoute("10.0.0.0/8", source="192.0.2.1", mtu=1400)
    assert _own_route(route, 4, 8, False) != _own_route(route, 4, 7, False), "one to another device is to be replaced"
    assert _own_route(Message(type=9, dst_len=0), 6, 7, True) == OwnRoute("::/0", throw=True, forwarded=True)
    assert _own_route(Message(type=1, dst_len=0, RTA_OIF=7), 4, 7, True) == OwnRoute("0.0.0.0/0", forwarded=True)


def test_rules_in_an_order_that_catches_all_the_time() -> None:
    """The one that diverts forwarded packets comes last, when there is something to divert them to."""
    sent, forwarded, divert = _rules(0x5246, 4301, 4301)
    assert (sent["priority"], sent["table"], sent["fwmark"]) == (4301, 4301, 0x5246)
    assert (forwarded["priority"], forwarded["table"], forwarded["iifname"]) == (4302, 4302, "lo")
    assert (divert["priority"], divert["goto"], divert["iifname"]) == (4300, 4302, "lo")
    assert all(rule["flags"] == INVERT for rule in (sent, forwarded, divert))


def test_parts() -> None:
    assert str(_destination(Message(dst_len=64, RTA_DST="fd00::"), 6)) == "fd00::/64"
    assert _oif(Message(RTA_MULTIPATH=[{"oif": 3}, {"oif": 4}])) == 3
    assert _oif(Message(RTA_OIF=5)) == 5


def test_this_host_can_be_read() -> None:
    async def read() -> None:
        async with Netlink() as netlink:
            host = await netlink.host()
            assert {link.index for link in host.links} >= {route.link for route in host.routes}
            await netlink.index("lo")

    asyncio.run(read())
