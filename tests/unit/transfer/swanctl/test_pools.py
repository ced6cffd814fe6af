# SPDX-License-Identifier: Apache-2.0
"""Road warriors and gateways: in, out, and in again."""

import pytest

from ringfence.databases.pool import Asks
from ringfence.net.address import AddressRange, parse_address
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord
from ringfence.policy.host import HostFacts
from ringfence.policy.model import ANY, ME
from ringfence.policy.pools import AddressPool
from ringfence.policy.write import canonical
from ringfence.secret import Secret
from ringfence.transfer.swanctl.exporting import write_conf
from ringfence.transfer.swanctl.importing import read_conf
from ringfence.transfer.swanctl.pools import asks_of, pool_blocks

SECRETS = 'secrets { ike-lab { secret = "a secret of no value" } }\n'
GATEWAY = """
connections {
  people {
    version = 2
    local_addrs = 192.0.2.1
    pools = four, six
    local { auth = psk
      id = gw.corp.example }
    remote { auth = psk
      id = alice.corp.example }
    children { people { local_ts = 10.1.0.0/16 } }
  }
}
pools {
  four {
    addrs = 10.9.0.0/24
    dns = 10.1.0.53, 10.1.0.54
    nbns = 10.1.0.55
    25 = Corp.Example
    dhcp = 10.1.0.56
  }
  six { addrs = fd00:9::1-fd00:9::ff }
  spare { addrs = 10.8.0.0/24 }
}
"""
WARRIOR = """
connections {
  office {
    version = 2
    remote_addrs = 192.0.2.1
    vips = 0.0.0.0, fd00:9::7
    local { auth = psk
      id = alice.corp.example }
    remote { auth = psk
      id = gw.corp.example }
    children { office { remote_ts = 10.1.0.0/16
      start_action = start } }
  }
}
"""


def test_a_gateway_comes_in_with_its_pools() -> None:
    found = read_conf(GATEWAY + SECRETS, "swanctl.conf")
    (rule,), (pool,) = found.policy.rules, found.policy.pools
    assert rule.gateways is not None
    assert (rule.gateways.pool, rule.gateways.remote, rule.remote) == ("four", None, ANY)
    assert pool.addresses == (AddressRange.parse("10.9.0.0/24"), AddressRange.parse("fd00:9::1-fd00:9::ff"))
    assert pool.dns == (parse_address("10.1.0.53"), parse_address("10.1.0.54"))
    assert (pool.wins, pool.domains) == ((parse_address("10.1.0.55"),), ("corp.example",))
    left = " ".join(str(one) for one in found.left_out)
    assert "pool four, dhcp" in left
    assert "pool spare: no connection that is carried over" in left
    assert "they are one here" in " ".join(str(one) for one in found.notes)
    assert parse(canonical(found.policy), name="x") == found.policy


def test_a_road_warrior_comes_in() -> None:
    (rule,) = read_conf(WARRIOR + SECRETS, "swanctl.conf").policy.rules
    assert rule.gateways is not None
    assert rule.gateways.asks == Asks((4, 6), (parse_address("fd00:9::7"),))
    assert (rule.local, rule.initiate) == (ME, True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (GATEWAY.replace("pools = four", "pools = none"), "its addresses come from none"),
        (GATEWAY.replace("10.9.0.0/24", "a pool"), 'its pool four is "a pool"'),
        (GATEWAY.replace("local_ts = 10.1.0.0/16", "remote_ts = 10.7.0.0/16"), "other addresses than those of the"),
        (GATEWAY.replace("dns = 10.1.0.53, 10.1.0.54", "dns = me"), "it is no address"),
        (WARRIOR.replace("0.0.0.0,", "any,"), "which are no addresses"),
        (WARRIOR.replace("remote_ts", "local_ts = 10.7.0.0/16\n remote_ts"), "other addresses than it would be given"),
        (WARRIOR.replace("remote_addrs = 192.0.2.1", ""), "other addresses than it would be given"),
    ],
)
def test_what_cannot_come_in_is_told(text: str, why: str) -> None:
    assert any(why in str(one) for one in read_conf(text + SECRETS, "swanctl.conf").left_out)


def test_the_other_side_s_file_says_nothing_of_ours() -> None:
    left = read_conf(WARRIOR.replace("vips", "local_addrs = 192.0.2.9\n vips") + SECRETS, "c", "192.0.2.1").left_out
    assert any("stands in another file" in str(one) for one in left)


DOCUMENT = """
[pool.people]
addresses = ["10.9.0.0/24", "fd00:9::/112"]
except = "10.9.0.10-10.9.0.19"
dns = "10.1.0.53"
domains = "corp.example"
fixed = { "bob.corp.example" = "10.9.0.77" }
[[rule]]
name = "people"
keying = "ikev2"
local = { networks = "10.1.0.0/16", gateway = "192.0.2.1" }
remote = { gateway = "any", pool = "people" }
auth = { psk-file = "people.psk" }
identity = { local = "gw.corp.example" }
allow = { computers = "*.corp.example" }
[[rule]]
name = "office"
keying = "ikev2"
local = { address = "assigned", domains = "corp.example" }
remote = { networks = "any", gateway = "198.51.100.1" }
auth = { psk-file = "people.psk" }
"""


def test_both_go_out_as_strongswan_has_them() -> None:
    exported = write_conf(parse(DOCUMENT, name="x"), {"people.psk": "a secret of no value"})
    text, left = exported.text, " ".join(map(str, exported.left_out))
    lines = [line.strip() for line in text.splitlines()]
    for line in (
        "pools = people, people-2, people-3", "vips = 0.0.0.0, ::", 'id = "*.corp.example"', "remote_ts = dynamic",
        "local_ts = dynamic", "addrs = 10.9.0.1-10.9.0.9", "addrs = 10.9.0.20-10.9.0.254", "addrs = fd00:9::/112",
        "dns = 10.1.0.53", "25 = corp.example", "close_action = start",
    ):  # fmt: skip
        assert line in lines, line
    assert text.count("dns = ") == 1
    assert "strongSwan keeps addresses of single identities" in left
    assert "strongSwan asks whatever servers it is told" in left
    again = read_conf(text.replace("*.corp.example", "bob.corp.example"), "swanctl.conf").policy
    assert {one.name: one.gateways.pool for one in again.rules if one.gateways} == {"people": "people", "office": ""}
    compile_policy(again, HostFacts((parse_address("192.0.2.1"),)), dict.fromkeys(again.key_files, Secret(b"key")))


def test_whom_one_pattern_cannot_name_is_not_let_in_blindly() -> None:
    text = DOCUMENT.replace('computers = "*.corp.example"', 'computers = ["a.example", "b.example"]')
    exported = write_conf(parse(text, name="x"), {})
    assert "pools" not in exported.text
    assert any("by one pattern of an identity" in str(one) for one in exported.left_out)


def test_words() -> None:
    assert asks_of("") is None
    pool = AddressPool("p", (AddressRange.parse("10.9.0.0/30"),), (AddressRange.parse("10.9.0.1-10.9.0.2"),))
    assert list(pool_blocks(pool)) == []
    with pytest.raises(BadWord):
        asks_of("x")
