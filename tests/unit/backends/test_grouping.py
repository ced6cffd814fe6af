# SPDX-License-Identifier: Apache-2.0
"""Few rules decide as many did: rules are read here as nftables reads them, and asked about flows."""

import random
import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.backends.grouping import FIELDS, GROUP_FROM, Line, grouped, grouped_pairs
from ringfence.databases.selector import Selector
from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.net.flow import ICMP, TCP, UDP, FlowKey

RULE = re.compile(r"\[(\d+)\]( [^{]*)?(?: { (.*) })? (?:verdict-(\d)(?:-(\d))?) comment \"(.*)\"")
Group = Callable[..., object]


class Kernel:
    """Rules as text, and what becomes of a flow among them."""

    def __init__(self, group: Group, lines: Sequence[Line]) -> None:
        self.selectors: list[Selector] = []
        self.rules = list(group(lines, self._match, lambda name: name))  # type: ignore[call-overload]

    def _match(self, selector: Selector) -> str:
        self.selectors.append(selector)
        return f"[{len(self.selectors) - 1}]"

    def verdict(self, flow: FlowKey) -> str | None:
        for rule in self.rules:
            found = RULE.fullmatch(rule)
            assert found is not None, rule
            number, names, elements, verdict = found.group(1, 2, 3, 4)
            if flow in self.selectors[int(number)] and (not names or self._is_in(flow, names, elements)):
                return verdict
        return None

    def _is_in(self, flow: FlowKey, names: str, elements: str) -> bool:
        """Whether one element of a set holds the flow; no two may hold the same."""
        values = dict(
            zip(FIELDS, (flow.source, flow.destination, flow.source_port, flow.destination_port), strict=True)
        )
        asked = [values[name.split()[1]] for name in names.strip().split(" . ")]
        holding = 0
        for element in elements.split(", "):
            parts = element.split(" . ")
            assert len(parts) == len(asked)
            holding += all(
                value in AddressRange.parse(part) if isinstance(value, bytes) else str(value) == part
                for value, part in zip(asked, parts, strict=True)
            )
        assert holding <= 1, (names, flow)
        return bool(holding)


def in_order(lines: Sequence[Line], flow: FlowKey) -> str | None:
    return next((line.verdicts[0][-1] for line in lines if flow in line.selector), None)


def some_lines(chance: random.Random, verdicts: int, count: int) -> list[Line]:
    """Crowded, and most of few shapes, in runs of one verdict or with verdicts that alternate."""

    def addresses() -> AddressRange:
        first = 0x0A000000 + chance.randrange(64)
        size = chance.choice([1, 1, 1, 4, 4, 16, 1 << 32])
        if size == 1 << 32:
            return AddressRange.everything(4)
        if chance.random() < 0.1:
            return AddressRange(first.to_bytes(4), (first + chance.randrange(40)).to_bytes(4))
        first = first // size * size
        return AddressRange(first.to_bytes(4), (first + size - 1).to_bytes(4))

    def ports() -> PortRange:
        return chance.choice([ANY_PORT, ANY_PORT, PortRange.one(chance.randrange(50)), PortRange(10, 40)])

    runs = chance.choice([1, 1, 30, count])
    lines = []
    for number in range(count):
        protocol = chance.choice([None, TCP, UDP, ICMP])
        both = ports()
        there = ports() if protocol in (TCP, UDP) else both
        cube = Selector(addresses(), addresses(), protocol, *((both, there) if protocol else (ANY_PORT, ANY_PORT)))
        verdict = (number // max(1, count // runs)) % verdicts
        lines.append(Line(cube, (f"verdict-{verdict}",), str(number)))
    return lines


@pytest.mark.parametrize("group", [grouped, grouped_pairs])
@settings(deadline=None, max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(1, 3), st.sampled_from([5, 60, 300]))
def test_a_flow_meets_the_same_verdict(group: Group, chance: random.Random, verdicts: int, count: int) -> None:
    lines = some_lines(chance, verdicts, count)
    kernel = Kernel(group, lines)
    for _ in range(40):
        here, there = ((0x0A000000 + chance.randrange(70)).to_bytes(4) for _ in range(2))
        port = chance.randrange(50)
        flow = FlowKey(here, there, chance.choice([TCP, UDP]), chance.randrange(50), port)
        assert kernel.verdict(flow) == in_order(lines, flow)
        ping = FlowKey(here, there, ICMP, port, port)
        assert kernel.verdict(ping) == in_order(lines, ping)


def hosts(count: int, *verdicts: str) -> list[Line]:
    return [
        Line(Selector.between("192.0.2.1", f"10.0.{n // 250}.{n % 250}"), verdicts or ("verdict-0",), f"r{n}")
        for n in range(count)
    ]


def test_few_stay_as_they_are() -> None:
    lines = hosts(GROUP_FROM - 1)
    assert Kernel(grouped, lines).rules == [f'[{n}] verdict-0 comment "r{n}"' for n in range(len(lines))]
    pairs = [line for one in hosts(4) for line in (one, Line(one.selector.reversed(), ("verdict-1",), one.name))]
    assert Kernel(grouped_pairs, pairs).rules == Kernel(grouped, pairs).rules


def test_many_become_one_for_each_verdict() -> None:
    rules = Kernel(grouped, hosts(GROUP_FROM, "verdict-0", "verdict-1")).rules
    assert len(rules) == 2
    assert str(rules[0]).startswith("[0] ip daddr { 10.0.0.0, 10.0.0.1, ")
    assert str(rules[0]).endswith(f'}} verdict-0 comment "r0 and {GROUP_FROM - 1} more"')
    assert Kernel(grouped, [*hosts(40), *hosts(40)]).rules == [
        str(rule).replace("and 39", "and 79") for rule in Kernel(grouped, hosts(40)).rules
    ]


def test_two_directions_become_two_rules() -> None:
    pairs = [line for one in hosts(60) for line in (one, Line(one.selector.reversed(), ("verdict-1",), one.name))]
    assert len(Kernel(grouped_pairs, pairs).rules) == 2
    everywhere = Line(Selector.between("0.0.0.0/0", "0.0.0.0/0"), ("verdict-0",), "all")
    assert len(Kernel(grouped_pairs, [*pairs, everywhere]).rules) > 60, "which must not come before the answers"


def test_a_range_of_too_many_networks_stays_a_rule() -> None:
    awkward = Line(Selector.between("192.0.2.1", "10.0.0.1-10.255.255.254"), ("verdict-0",), "x")
    assert len(Kernel(grouped, [awkward, *hosts(60)]).rules) == 2
