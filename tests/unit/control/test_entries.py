# SPDX-License-Identifier: Apache-2.0
"""A compiled policy in the API's words."""

import pytest

from ringfence.control.entries import end, entries, protocol_name
from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.secret import Secret

DOCUMENT = """
[[rule]]
name = "lab"
with = "10.77.0.0/24"
secure = { in = "require", out = "request" }
auth = { psk-file = "lab.psk" }

[[filter]]
name = "no telnet"
block = "tcp to 23"
"""


def test_entries_say_what_they_do_and_where_they_come_from() -> None:
    compiled = compile_policy(
        parse(DOCUMENT, name="p.toml"), HostFacts((bytes([10, 77, 0, 1]),)), {"lab.psk": Secret(b"sesame" * 4)}
    )
    shown = {entry.rule: entry for entry in entries(compiled.spd, compiled.pad) if not entry.built_in}
    lab = shown["lab"]
    assert (lab.action, lab.local, lab.remote, lab.protocol) == ("protect", "10.77.0.1", "10.77.0.0/24", "any")
    assert (lab.mode, lab.clear_in, lab.clear_out) == ("transport", False, True)
    assert lab.origin == 'rule "lab" p.toml:2'
    assert "esp aes256-gcm" in lab.methods
    assert lab.main_mode
    assert lab.auth == ["preshared key lab.psk"]
    telnet = shown["no telnet"]
    assert (telnet.action, telnet.remote, telnet.protocol, telnet.methods) == ("block", "any IPv4, port 23", "tcp", [])
    assert any(entry.built_in for entry in entries(compiled.spd, compiled.pad))
    assert "sesame" not in str(entries(compiled.spd, compiled.pad))


@pytest.mark.parametrize(
    ("addresses", "ports", "protocol", "text"),
    [
        ("10.0.0.0/8", ANY_PORT, None, "10.0.0.0/8"),
        ("10.0.0.1", PortRange.one(80), 6, "10.0.0.1:80"),
        ("fd00::1", PortRange(80, 90), 6, "[fd00::1]:80-90"),
        ("::/0", ANY_PORT, 6, "any IPv6"),
        ("0.0.0.0/0", PortRange.one(53), 17, "any IPv4, port 53"),
        ("10.0.0.1", PortRange(0x0800, 0x08FF), 1, "10.0.0.1 type 8"),
    ],
)
def test_an_end(addresses: str, ports: PortRange, protocol: int | None, text: str) -> None:
    assert end(AddressRange.parse(addresses), ports, protocol) == text


def test_protocols_have_names() -> None:
    assert [protocol_name(number) for number in (None, 6, 200)] == ["any", "tcp", "200"]
