# SPDX-License-Identifier: Apache-2.0
"""On the wire: ``integration/test_service_networks``."""

from dataclasses import replace

from ringfence.databases.spd import Home
from ringfence.net.address import parse_address
from ringfence.policy.compile import BUILT_IN, Compiled, HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.homes import homes
from ringfence.policy.networks import Interface, Situation
from ringfence.policy.scope import EVERYWHERE, Device, LinkKind, Profile, Scope
from ringfence.secret import Secret

KEYS = {name: Secret(name.encode()) for name in ("test.psk", "branch.psk")}

LAN, WLAN, VPN, BOTH = map(parse_address, ("10.0.0.1", "192.168.7.2", "10.9.0.1", "fe80::1"))
HERE = [
    Situation("eth0", LinkKind.LAN, Profile.DOMAIN, "", (LAN, BOTH)),
    Situation("wlan0", LinkKind.WIRELESS, Profile.PUBLIC, "", (WLAN, BOTH)),
    Situation("tun0", LinkKind.REMOTE_ACCESS, Profile.DOMAIN, "", (VPN,)),
    Situation("", LinkKind.LAN, Profile.PUBLIC, "", (parse_address("10.5.0.1"),)),
]


def test_addresses_keep_to_interfaces_where_the_same_holds() -> None:
    public = Scope((Profile.PUBLIC,))
    assert homes([EVERYWHERE, public], HERE) == (
        Home((LAN, VPN), ("eth0", "tun0")), Home((BOTH,), ("eth0", "tun0", "wlan0")), Home((WLAN,), ("wlan0",)),
    )  # fmt: skip
    each = homes([public, Scope(interfaces=(Device("tun0"),))], HERE)
    assert Home((LAN,), ("eth0",)) in each
    assert Home((VPN,), ("tun0",)) in each


def test_where_it_makes_no_difference_nothing_is_kept_apart() -> None:
    assert homes([EVERYWHERE], HERE) == ()
    assert homes([Scope((Profile.PRIVATE,))], HERE) == ()
    assert homes([Scope((Profile.PUBLIC,))], HERE[1:2]) == homes([], []) == ()


SCOPED = """
[profile.private]
networks = "10.77.0.0/16"
[[rule]]
name = "at home"
with = "10.0.0.0/8"
auth = { psk-file = "test.psk" }
profiles = "private"
[[filter]]
name = "outside"
block = "tcp"
profiles = "public"
"""
AT_HOME, OUTSIDE = parse_address("10.77.0.1"), parse_address("192.0.2.1")
HOST = HostFacts(
    (AT_HOME, OUTSIDE),
    interfaces=(Interface("eth0", addresses=(AT_HOME,)), Interface("eth1", addresses=(OUTSIDE,))),
)


def compiled(text: str, host: HostFacts) -> Compiled:
    return compile_policy(parse(text, name="policy.toml"), host, KEYS)


def names(text: str, host: HostFacts) -> list[str]:
    return [entry.name for entry in compiled(text, host).spd if not entry.origin.rule.startswith(BUILT_IN)]


def test_statements_hold_where_their_profiles_are() -> None:
    assert names(SCOPED, HOST) == ["at home/10.77.0.1 <-> 10.0.0.0/8", "outside/192.0.2.1 <-> 0.0.0.0/0 tcp"]
    found = compiled(SCOPED, HOST)
    assert [home.devices for home in found.spd.homes] == [("eth0",), ("eth1",)]
    assert [one.profile.value for one in found.situations] == ["private", "public"]
    assert (found.findings, found.own) == ((), {AT_HOME, OUTSIDE})


def test_another_situation_can_be_asked() -> None:
    said = replace(HOST, profile=Profile.PUBLIC)
    assert {name.partition("/")[0] for name in names(SCOPED, said)} == {"outside"}
    found = compiled(SCOPED, said)
    assert found.spd.homes == ()
    assert list(found.pad) == [], "a rule that holds nowhere lets nobody in"


def test_tomorrows_address_is_in_a_network_of_the_default_profile() -> None:
    guards = [(guard.origin.rule.partition(":")[0], str(guard.selector)) for guard in compiled(SCOPED, HOST).spd.guards]
    assert guards == [
        (BUILT_IN, "10.77.0.1 -> 0.0.0.0/0"), (BUILT_IN, "192.0.2.1 -> 0.0.0.0/0"),
        ("outside", "0.0.0.0/0 -> 0.0.0.0/0 tcp"), ("outside", "::/0 -> ::/0 tcp"),
    ]  # fmt: skip


def test_a_tunnel_holds_where_its_end_is() -> None:
    text = """
[[rule]]
name = "branch"
local = { networks = "10.77.0.0/16", gateway = "GATEWAY" }
remote = { networks = "10.88.0.0/16", gateway = "198.51.100.7" }
auth = { psk-file = "test.psk" }
interfaces = "dev eth1"
"""
    there = ["branch/10.77.0.0/16 <-> 10.88.0.0/16"]
    assert names(text.replace("GATEWAY", "192.0.2.1"), HOST) == there
    assert names(text.replace("GATEWAY", "10.77.0.1"), HOST) == []
    assert names(text.replace(', gateway = "GATEWAY"', ""), HOST) == there, "its only address there"
