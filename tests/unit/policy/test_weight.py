# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.databases.selector import Selector
from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.policy.weight import weight


def selector(source: str, destination: str, protocol: int | None = None, *ports: PortRange) -> Selector:
    return Selector(AddressRange.parse(source), AddressRange.parse(destination), protocol, *ports)


ONE, FEW = PortRange.one(80), PortRange(80, 95)


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (selector("0.0.0.0/0", "0.0.0.0/0"), 0),
        (selector("10.0.0.1", "10.0.0.0/8"), 4000),
        (selector("::1", "::/0"), 12800),
        (selector("10.0.0.1", "0.0.0.0/0", 6), 3250),
        (selector("10.0.0.1", "0.0.0.0/0", 6, ANY_PORT, ONE), 3266),
        (selector("10.0.0.1", "0.0.0.0/0", 6, ONE, FEW), 3278),
        (selector("10.0.0.1-10.0.0.3", "0.0.0.0/0"), 3000),
    ],
)
def test_weights(found: Selector, value: int) -> None:
    assert weight(found) == value


def test_addresses_count_most_then_the_protocol() -> None:
    most = weight(selector("10.0.0.1", "0.0.0.0/0", 6, ONE, ONE))
    assert most < weight(selector("10.0.0.1", "0.0.0.0/1"))
    assert weight(selector("0.0.0.0/0", "0.0.0.0/0", 6)) > 2 * 16
