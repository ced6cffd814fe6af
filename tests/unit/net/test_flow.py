# SPDX-License-Identifier: Apache-2.0
"""How a flow is written, and its answer."""

from ringfence.net.address import parse_address
from ringfence.net.flow import ICMP, TCP, FlowKey

A, B, C, D = map(parse_address, ("10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"))


def test_a_flow_reads_as_people_write_it() -> None:
    assert str(FlowKey(A, B, TCP, 4711, 80)) == "tcp 10.0.0.1:4711 -> 10.0.0.2:80"
    assert str(FlowKey(C, D, TCP, 4711, 80)) == "tcp [fd00::1]:4711 -> [fd00::2]:80"
    assert str(FlowKey(A, B, ICMP, 0x800, 0x800)) == "icmp 10.0.0.1 -> 10.0.0.2"
    assert str(FlowKey(A, B, 99, None, None)) == "99 10.0.0.1 -> 10.0.0.2"


def test_the_answer_swaps_both_ends() -> None:
    assert FlowKey(A, B, TCP, 1, 2).reversed() == FlowKey(B, A, TCP, 2, 1)
