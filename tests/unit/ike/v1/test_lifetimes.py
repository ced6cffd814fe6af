# SPDX-License-Identifier: Apache-2.0
"""What a responder says of its own lifetimes."""

import pytest

from ringfence.databases.proposal import Limits
from ringfence.ike.isakmp import encode_attributes
from ringfence.ike.v1.lifetimes import MAIN, QUICK, said, shorter
from ringfence.ike.v1.negotiate import life_attributes
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import NotifyPayload, ProtocolId
from ringfence.testing.script import message

OFFERED = Limits(28800, 1 << 20)


def notify(limits, numbers, protocol=ProtocolId.ISAKMP):
    data = encode_attributes(tuple(life_attributes(limits, *numbers)))
    return NotifyPayload(1, protocol, b"", Notify.RESPONDER_LIFETIME, data)


def chain(*payloads):
    return message(*payloads).chain


@pytest.mark.parametrize("protocol", [ProtocolId.ISAKMP, ProtocolId.ESP, ProtocolId.AH])
@pytest.mark.parametrize("kept", [Limits(600, 1 << 20), Limits(28800, 4096), Limits(600, 4096)])
def test_what_is_said_is_heard(protocol, kept):
    (told,) = shorter(kept, OFFERED, protocol, b"spi!")
    assert (told.kind, told.protocol, told.spi) == (Notify.RESPONDER_LIFETIME, protocol, b"spi!")
    heard = said(chain(told), main=protocol == ProtocolId.ISAKMP)
    assert heard.seconds in (kept.seconds, None)
    assert (heard.seconds or 28800, heard.octets or 1 << 20) == (kept.seconds, kept.octets)


def test_nothing_is_said_where_nothing_is_shorter():
    assert shorter(OFFERED, OFFERED, ProtocolId.ESP, b"spi!") == ()


@pytest.mark.parametrize("numbers", [MAIN, QUICK])
def test_main_mode_reads_either_numbers(numbers):
    assert said(chain(notify(Limits(600), numbers)), main=True) == Limits(600)


def test_each_phase_hears_its_own():
    both = chain(notify(Limits(600), MAIN), notify(Limits(700), QUICK, ProtocolId.ESP))
    assert said(both, main=True) == Limits(600)
    assert said(both) == Limits(700)


def test_the_strictest_of_several_counts():
    assert said(chain(notify(Limits(600, 4096), QUICK, 3), notify(Limits(700, 2048), QUICK, 3))) == Limits(600, 2048)


@pytest.mark.parametrize("data", [b"", b"\0\1\0", bytes.fromhex("800b0001800c0000")])
def test_what_makes_no_sense_is_passed_over(data):
    broken = NotifyPayload(1, ProtocolId.ISAKMP, b"", Notify.RESPONDER_LIFETIME, data)
    assert said(chain(broken, notify(Limits(600), MAIN)), main=True) == Limits(600)
