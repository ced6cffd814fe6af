# SPDX-License-Identifier: Apache-2.0
"""What a peer says of traffic and itself beside what the policy has."""

from dataclasses import replace

from ringfence.databases.identity import Identity
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, SpdEntry
from ringfence.ike.differences import HERE, PORTS_THERE, PROTOCOL, THERE, compare_identity, compare_traffic
from ringfence.net.address import PortRange


def entry(selector: Selector, rule: str) -> SpdEntry:
    return SpdEntry(name=rule, selector=selector, action=Action.DISCARD, origin=Origin(rule))


def test_traffic_that_is_too_wide() -> None:
    asked = Selector.between("10.1.0.0/16", "10.2.0.0/16")
    ours = [entry(Selector.between("10.1.0.0/24", "10.9.0.0/16", 6), "far"), entry(
        Selector.between("10.1.0.0/24", "10.2.0.0/16"), "near")]  # fmt: skip
    found = compare_traffic(asked, ours)
    assert found.apart == (HERE,)
    assert found.nearest is not None
    assert found.nearest[1].word == "near"
    rows = {row.what: row for row in found.rows}
    assert rows[HERE].theirs == ("10.1.0.0/16",)
    assert not rows[HERE].agree
    assert rows[THERE].agree, "one rule has the network"


def test_what_is_inside_is_no_difference() -> None:
    asked = replace(Selector.between("10.1.0.1", "10.2.0.1", 6), destination_ports=PortRange.one(80))
    wide = Selector.between("10.0.0.0/8", "10.0.0.0/8")
    assert compare_traffic(asked, [entry(wide, "wide")]).apart == ()
    narrow = replace(Selector.between("10.0.0.0/8", "10.0.0.0/8", 17), destination_ports=PortRange.one(53))
    assert compare_traffic(asked, [entry(narrow, "narrow")]).apart == (PROTOCOL, PORTS_THERE)


def test_no_rule_at_all() -> None:
    found = compare_traffic(Selector.between("10.1.0.1", "10.2.0.1"), [])
    assert found.nearest is None
    assert len(found.rows) == 5


def test_identities() -> None:
    found = compare_identity(Identity.parse("eve.lab"), Identity.parse("bob.lab"))
    assert str(found) == "identity: it has eve.lab, we take bob.lab"
