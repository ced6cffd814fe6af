# SPDX-License-Identifier: Apache-2.0
"""What nftables is told of TCP connections of IKE."""

from ringfence.backends import connected
from ringfence.backends import filter as static
from ringfence.backends.base import MARK
from ringfence.databases.spd import Spd


def test_nothing_where_no_rule_names_tcp():
    assert [*connected.sets(()), *connected.out((), MARK), *connected.matches_in(())] == []
    assert "tcp" not in static.ruleset(Spd())


def test_only_what_we_began_comes_in_from_a_port_of_ike():
    rules = [*connected.matches_in((443, 4500))]
    assert rules[0] == "tcp dport { 443, 4500 }"
    assert [one for one in rules if "tcp sport" in one] == [
        "ip saddr . tcp sport . ip daddr . tcp dport @ike-tcp-4",
        "ip6 saddr . tcp sport . ip6 daddr . tcp dport @ike-tcp-6",
    ]


def test_only_our_own_sockets_begin():
    rules = [*connected.out((4500,), 0x5246)]
    assert all(one.startswith("meta mark 0x5246 tcp ") for one in rules)
    assert sum("update @ike-tcp-" in one for one in rules) == 2


def test_a_table_with_tcp():
    text = static.ruleset(Spd(tcp_ports=(4500,)))
    assert "set ike-tcp-4 {" in text
    assert "tcp dport { 4500 } accept" in text
