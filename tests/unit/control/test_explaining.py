# SPDX-License-Identifier: Apache-2.0
"""Questions about packets."""

import pytest

from ringfence.control.errors import BadRequest
from ringfence.control.explaining import explained, explained_at_boot
from ringfence.net.address import parse_address
from ringfence.policy.compile import Compiled, HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.secret import Secret

DOCUMENT = """
[[rule]]
name = "lab"
with = "10.77.0.0/24"
secure = "require"
auth = { psk-file = "lab.psk" }

[[filter]]
name = "no telnet"
block = "tcp to 23"
"""


@pytest.fixture
def compiled() -> Compiled:
    host = HostFacts((parse_address("10.77.0.1"),))
    return compile_policy(parse(DOCUMENT, name="p.toml"), host, {"lab.psk": Secret(b"sesame" * 4)})


@pytest.mark.parametrize(
    ("packet", "verdict", "sure", "remote"),
    [
        ("out tcp 10.77.0.1 -> 10.77.0.2:80", "protect", False, "10.77.0.2"),
        ("in icmp 10.77.0.2 -> 10.77.0.1", "protect", False, "10.77.0.2"),
        ("out tcp 10.77.0.1 -> 10.1.1.1:23", "block", True, "10.1.1.1"),
        ("out udp 10.77.0.1 -> 10.1.1.1:53", "permit", True, "10.1.1.1"),
    ],
)
def test_verdicts(compiled: Compiled, packet: str, verdict: str, sure: bool, remote: str) -> None:
    answer, outward = explained(compiled, packet)
    assert (answer.verdict, answer.sure) == (verdict, sure)
    assert outward.destination == parse_address(remote)
    assert any(line.startswith("because") for line in answer.lines)


@pytest.mark.parametrize("packet", ["", "hello", "out tcp 10.0.0.1 -> fd00::1", "out 10.0.0.1 -> 10.0.0.2"])
def test_nonsense_is_told_with_an_example(compiled: Compiled, packet: str) -> None:
    with pytest.raises(BadRequest) as caught:
        explained(compiled, packet)
    assert f'"{packet}"' in caught.value.message
    assert "->" in caught.value.cure


@pytest.mark.parametrize(
    ("packet", "verdict", "sure"),
    [
        ("out tcp 10.77.0.1 -> 10.77.0.2:80", "block", True),
        ("out tcp 10.77.0.1 -> 10.78.0.2:80", "permit", True),
        ("in tcp 10.78.0.2 -> 10.77.0.1:80", "permit", False),
    ],
)
def test_before_the_service_is_up(packet: str, verdict: str, sure: bool) -> None:
    answer = explained_at_boot(parse(DOCUMENT, name="p.toml"), packet)
    assert (answer.verdict, answer.sure) == (verdict, sure)
    with pytest.raises(BadRequest):
        explained_at_boot(parse(DOCUMENT, name="p.toml"), "nonsense")
