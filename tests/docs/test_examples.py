# SPDX-License-Identifier: Apache-2.0
"""Each example is read, compiled, and means what its comment says."""

from pathlib import Path

import pytest

from ringfence.databases.spd import Action
from ringfence.net.address import parse_address
from ringfence.policy.compile import Compiled, HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.explain import answer, parse_question
from ringfence.policy.validate import validate
from ringfence.policy.write import canonical
from ringfence.secret import Secret

EXAMPLES = Path(__file__).parents[2] / "examples"


def compiled(name: str, *addresses: str) -> Compiled:
    policy = parse((EXAMPLES / name).read_text(), name=name)
    keys = {file: Secret(file.encode()) for file in policy.key_files}
    return compile_policy(policy, HostFacts(tuple(map(parse_address, addresses))), keys)


@pytest.mark.parametrize(
    ("name", "addresses", "packets"),
    [
        ("first.toml", ["10.77.0.1"], {"out tcp 10.77.0.1 -> 10.77.0.2:80": Action.PROTECT}),
        (
            "request.toml",
            ["10.0.1.1"],
            {
                "out tcp 10.0.1.1 -> 10.0.2.2:80": Action.PROTECT,
                "out tcp 10.0.1.1 -> 10.0.9.10:9100": Action.BYPASS,
                "out tcp 10.0.1.1 -> 192.0.2.1:23": Action.DISCARD,
                "in tcp 192.0.2.1 -> 10.0.1.1:23": Action.DISCARD,
            },
        ),
        (
            "server.toml",
            ["10.9.0.2", "2001:db8:9::2"],
            {
                "in tcp 10.9.7.7:4000 -> 10.9.0.2:1433": Action.PROTECT,
                "in tcp 10.9.7.7:4000 -> 10.9.0.2:22": Action.DISCARD,
                "in tcp 2001:db8:9::5 -> 2001:db8:9::2": Action.PROTECT,
                "out udp 10.9.0.2:4000 -> 10.9.0.53:53": Action.BYPASS,
                "out udp 10.9.0.2:500 -> 10.9.7.7:500": Action.BYPASS,
            },
        ),
        (
            "tunnel.toml",
            ["192.0.2.1", "10.1.0.1"],
            {
                "out tcp 10.1.3.4 -> 10.2.5.6:80": Action.PROTECT,
                "out tcp 2001:db8:1::1 -> 2001:db8:2::1": Action.PROTECT,
                "out tcp 10.1.3.4 -> 192.0.2.99:80": Action.BYPASS,
            },
        ),
        (
            "old-windows.toml",
            ["10.0.1.1"],
            {"out tcp 10.0.1.1 -> 10.0.5.20:445": Action.PROTECT, "out tcp 10.0.1.1 -> 10.0.5.21:445": Action.PROTECT},
        ),
        (
            "windows-secure-server.toml",
            ["10.0.1.1"],
            {
                "out tcp 10.0.1.1 -> 10.0.2.2:80": Action.PROTECT,
                "out icmp 10.0.1.1 -> 10.0.2.2": Action.BYPASS,
                "in udp 10.0.2.2:4000 -> 10.0.1.1:9": Action.PROTECT,
            },
        ),
        ("windows-client.toml", ["10.0.1.1"], {"out tcp 10.0.1.1 -> 10.0.2.2:80": Action.PROTECT}),
        (
            "windows-policy.toml",
            ["10.9.0.2"],
            {
                "in tcp 10.9.7.7:4000 -> 10.9.0.2:1433": Action.PROTECT,
                "in tcp 10.8.7.7:4000 -> 10.9.0.2:1433": Action.PROTECT,
                "in tcp 10.7.0.5:4000 -> 10.9.0.2:1433": Action.DISCARD,
                "in tcp 10.7.0.5:4000 -> 10.9.0.2:22": Action.BYPASS,
                "in icmp 10.9.7.7 -> 10.9.0.2": Action.BYPASS,
                "out tcp 10.9.0.2:4000 -> 192.0.2.1:443": Action.DISCARD,
            },
        ),
        (
            "windows-tunnel.toml",
            ["192.0.2.1", "10.1.0.1"],
            {
                "out tcp 10.1.3.4 -> 10.2.5.6:80": Action.PROTECT,
                "out tcp 10.1.3.4 -> 192.0.2.99:80": Action.BYPASS,
            },
        ),
        (
            "integrity-only.toml",
            ["10.30.0.7"],
            {
                "in udp 10.20.0.5:99 -> 10.30.0.7:5021": Action.PROTECT,
                "out udp 10.30.0.7:5021 -> 10.20.0.5:99": Action.PROTECT,
                "out udp 10.30.0.7:99 -> 10.20.0.5:5021": Action.BYPASS,
            },
        ),
        (
            "packet-filters.toml",
            ["10.0.1.1"],
            {
                "in tcp 192.0.2.9:5 -> 10.0.1.1:25 on eth1": Action.BYPASS,
                "in tcp 192.0.2.9:5 -> 10.0.1.1:80 on eth1": Action.DISCARD,
                "in tcp established 192.0.2.9:80 -> 10.0.1.1:5 on eth1": Action.BYPASS,
                "in tcp 192.0.2.9:5 -> 10.0.1.1:80 on eth0": Action.BYPASS,
                "out tcp 10.0.7.7:5 -> 192.0.2.9:25 on eth1": Action.DISCARD,
            },
        ),
    ],
)
def test_an_example(name: str, addresses: list[str], packets: dict[str, Action]) -> None:
    found = compiled(name, *addresses)
    answers = {packet: answer(found, parse_question(packet)) for packet in packets}
    assert {packet: one.action if one.passes else Action.DISCARD for packet, one in answers.items()} == packets


def test_every_example_is_tested_and_well_made() -> None:
    names = {path.name for path in EXAMPLES.glob("*.toml")}
    mark = next(mark for mark in test_an_example.pytestmark if mark.name == "parametrize")
    assert {arguments[0] for arguments in mark.args[1]} == names
    for name in names - {"old-windows.toml"}:
        policy = parse((EXAMPLES / name).read_text(), name=name)
        assert validate(policy) == ()
        assert parse(canonical(policy), name=name) == policy


def test_the_old_server_alone_is_weak() -> None:
    found = compiled("old-windows.toml", "10.0.1.1")
    by_rule = {entry.origin.rule: entry.processing for entry in found.spd if entry.processing}
    weak, strong = by_rule["the old file server"], by_rule["everybody else"]
    assert "3des" in str(weak.methods[0])
    assert not any("3des" in str(method) for method in strong.methods)


def test_the_first_policy_is_the_same_everywhere() -> None:
    """In the README, in the manual, as an example."""
    first = parse((EXAMPLES / "first.toml").read_text(), name="p")
    for page in ("README.md", "docs/howto/policy.md"):
        block = (EXAMPLES.parent / page).read_text().split("```toml\n", 1)[1].split("```", 1)[0]
        assert parse(block, name="p") == first
