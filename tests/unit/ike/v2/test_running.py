# SPDX-License-Identifier: Apache-2.0
"""An exchange under way."""

from ringfence.ike.exchange import Stepper
from ringfence.ike.v2.informational import tell
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.running import Running
from ringfence.ike.window import Patience


def running(kind):
    return Running(kind, Stepper(tell()), Patience())


def test_what_silence_means():
    assert "speaks IKEv2" in running(Kind.IKE_SA_INIT).silence()
    assert running(Kind.CREATE_CHILD_SA).silence() == "no answer to CREATE_CHILD_SA"


def test_the_next_deadline():
    one = running(Kind.IKE_SA_INIT)
    assert one.next_timer is None
    one.repeater.sent(10.0)
    one.doubt_ends = 10.5
    assert one.next_timer == 10.5
    one.doubt_ends = 99.0
    assert one.next_timer == 11.0
