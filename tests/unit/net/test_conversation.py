# SPDX-License-Identifier: Apache-2.0
from ringfence.net.address import parse_address
from ringfence.net.conversation import Conversation
from ringfence.net.flow import ICMP, ICMPV6, TCP, UDP, FlowKey

A, B = parse_address("10.0.0.1"), parse_address("10.0.0.2")


def test_what_passes_and_what_comes_back() -> None:
    for answered in (True, False):
        web = Conversation(FlowKey(A, B, TCP, 40000, 80), answered)
        assert (web.passes, web.answers) == (answered, FlowKey(B, A, TCP, 80, 40000))
    assert Conversation(FlowKey(A, B, UDP, 40000, 514), False).answers is None
    assert Conversation(FlowKey(A, B, UDP, 40000, 514), False).passes
    assert Conversation(FlowKey(A, B, UDP, 40000, 53)).answers == FlowKey(B, A, UDP, 53, 40000)


def test_icmp_answers_with_another_type() -> None:
    assert Conversation(FlowKey(A, B, ICMP, 8 << 8, 8 << 8)).answers == FlowKey(B, A, ICMP, 0, 0)
    six = Conversation(FlowKey(A * 4, B * 4, ICMPV6, 128 << 8, 128 << 8))
    assert six.answers == FlowKey(B * 4, A * 4, ICMPV6, 129 << 8, 129 << 8)
    assert Conversation(FlowKey(A, B, ICMP, 3 << 8, 3 << 8)).answers is None
    assert Conversation(FlowKey(A, B, ICMP, None, None)).answers == FlowKey(B, A, ICMP, None, None)
