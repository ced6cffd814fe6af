# SPDX-License-Identifier: Apache-2.0
"""The packet path as a whole: two hosts that hold the same contracts."""

from itertools import product

import pytest

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.datapath.verdict import Deliver, Drop, Send
from ringfence.net.ip import build
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import joined, make_child

T, X = Mode.TUNNEL, Mode.TRANSPORT
GCM = esp_suite(Encryption.AES_GCM_16)
CBC = esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA256_128)
AH = AH_SUITES[2]

ENDS = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
INNER = {4: (bytes([10, 1, 0, 1]), bytes([10, 2, 0, 1])), 6: (b"\xfd" + bytes(14) + b"\1", b"\xfd" + bytes(14) + b"\2")}
EVERYTHING = {4: "0.0.0.0/0", 6: "::/0"}

FORMS = {
    "esp": ((GCM,), (X,)), "esp tunnel": ((GCM,), (T,)), "ah": ((AH,), (X,)), "ah tunnel": ((AH,), (T,)),
    "esp + ah": ((CBC, AH), (X, X)), "esp tunnel + ah": ((CBC, AH), (T, X)),
    "esp tunnel + ah tunnel": ((GCM, AH), (T, T)), "esp + ah tunnel": ((GCM, AH), (X, T)),
}  # fmt: skip


def contract(form, outer, inner, **words):
    suites, modes = FORMS[form]
    local, remote = ENDS[outer]
    if modes[0] is T:
        words.setdefault("selector", Selector.between(EVERYTHING[inner], EVERYTHING[inner]))
    return make_child(*suites, mode=modes, local=local, remote=remote, **words)


def packet(child, protocol=17, octets=100, fill=b"\7"):
    """From the side of ``child`` to the other."""
    first, other = child.selector.source, child.selector.destination
    source, destination = (first.first, other.first) if first.is_host else INNER[first.version]
    ports = b"\x10\x01\x20\x02" if octets >= 4 else b""
    return build(source, destination, protocol, ports + fill * (octets - len(ports)))


CASES = [
    (form, outer, inner)
    for form, outer, inner in product(FORMS, (4, 6), (4, 6))
    if outer == inner or FORMS[form][1][0] is T
]
every_form = pytest.mark.parametrize(("form", "outer", "inner"), CASES)


def sent(verdicts):
    assert all(type(verdict) is Send for verdict in verdicts), verdicts
    return [packet for verdict in verdicts for packet in verdict.packets]


def got(verdicts):
    assert all(type(verdict) is Deliver for verdict in verdicts), verdicts
    return [packet for verdict in verdicts for packet in verdict.packets]


@every_form
def test_what_one_sends_the_other_delivers(form, outer, inner):
    child = contract(form, outer, inner)
    left, right = joined(child)
    packets = [packet(child, octets=octets) for octets in (4, 5, 64, 1200)]
    for _ in range(2):  # the second time by the short way
        wire = sent(left.outbound(packets, 1.0))
        assert got(right.inbound(wire, 1.0)) == packets
    assert right.statistics(1).packets_in == 8 == left.statistics(1).packets_out
    assert right.statistics(1).octets_in == left.statistics(1).octets_out == 2 * sum(map(len, packets))
    assert {one.reason for one in right.inbound(wire, 1.0)} == {Drop.REPLAYED}
