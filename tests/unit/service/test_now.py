# SPDX-License-Identifier: Apache-2.0
"""One sentence about the present: an SA, clear traffic that is found by entry and addresses, or who has to begin."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.backends.base import SoftTraffic
from ringfence.crypto.suites import Encryption
from ringfence.databases.identity import Identity
from ringfence.databases.spd import SpdEntry
from ringfence.net.flow import FlowKey
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.secret import Secret
from ringfence.service.now import protected_by, without_sa
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child
from ringfence.testing.policies import rule_text

US, THEM, OTHER = (bytes([10, 77, 0, last]) for last in (1, 2, 3))
FLOW = FlowKey(US, THEM, 6, 40000, 80)
START = datetime(2026, 11, 25, 12).astimezone(UTC)


def date_of(moment: float) -> datetime:
    return START + timedelta(seconds=moment)


@pytest.fixture
def entry() -> SpdEntry:
    document = parse(rule_text("lab", with_='"10.77.0.0/24"'), name="policy.toml")
    found = compile_policy(document, HostFacts((US,)), {"test.psk": Secret(bytes(16)), "lab.psk": Secret(bytes(16))})
    first = found.spd.outbound(FLOW)
    assert first is not None
    return first


def soft(entry: str, source: bytes, destination: bytes) -> SoftTraffic:
    return SoftTraffic(entry, FlowKey(source, destination, 17, 1, 2), since=5.0, until=305.0)


def test_clear_traffic_of_the_pair_is_said_whatever_its_ports(entry: SpdEntry) -> None:
    told = without_sa(FLOW, entry, [soft("else", US, THEM), soft(entry.name, US, THEM)], date_of)
    assert told == "in clear since 12:00:05; protection is tried again at the first packet after 12:05:05"


def test_clear_traffic_of_others_is_not(entry: SpdEntry) -> None:
    others = [soft("else", US, THEM), soft(entry.name, US, OTHER), soft(entry.name, THEM, US)]
    assert without_sa(FLOW, entry, others, date_of) == "there is no SA for it; the first packet begins a negotiation"


def test_who_only_answers_waits_for_the_other_side(entry: SpdEntry) -> None:
    assert entry.processing is not None
    answering = replace(entry, processing=replace(entry.processing, respond_only=True))
    for one in (answering, None):
        told = without_sa(FLOW, one, [], date_of)
        assert told == "there is no SA for it; the other side has to begin a negotiation"


def test_an_sa_is_told_with_whom_it_is_and_by_what_it_was_made() -> None:
    child = make_child(esp_suite(Encryption.AES_GCM_16), local="10.77.0.1", remote="10.77.0.2")
    spi = f"q{child.id}, SPI 0x{child.outbound[0].spi:08x}, "
    named = replace(child, peer=Identity.parse("bob.lab"))
    assert protected_by(named, "ikev2") == f"{spi}by IKEv2 with 10.77.0.2 as bob.lab"
    assert protected_by(replace(child, peer=Identity.parse("10.77.0.2")), "") == f"{spi}with 10.77.0.2"
