# SPDX-License-Identifier: Apache-2.0
"""An order to drain a gateway is checked, carried out and answered."""

import pytest
from protocol.test_ikev2_redirect import ONE, TWO, Three

from ringfence.control.draining import Draining
from ringfence.control.errors import BadRequest
from ringfence.net.address import parse_address
from ringfence.service.draining import drained


def answer(to, three, orders):
    return drained(Draining(to=to), three.one.engine.ike_sas(), orders.append)


def test_clients_are_counted_and_sent() -> None:
    three, orders = Three(), []
    three.wish()
    said = answer(TWO, three, orders)
    assert (said.to, said.clients, said.staying) == (TWO, 1, 0)
    assert said.text == f"1 clients are sent to {TWO}, and those that come in from now on."
    assert orders == [parse_address(TWO)]
    assert answer("", three, orders).text == "This gateway serves its clients itself."
    assert orders[-1] is None


def test_who_cannot_be_sent_stays_and_is_told() -> None:
    three, orders = Three(Three().policy.with_(others=())), []
    three.wish()
    said = answer(TWO, three, orders)
    assert (said.clients, said.staying) == (0, 1)
    assert "1 main modes stay" in said.text


@pytest.mark.parametrize("to", ["gw.example", "198.51.100.300", ONE])
def test_what_is_no_other_gateway_is_refused(to) -> None:
    three, orders = Three(), []
    three.wish()
    with pytest.raises(BadRequest):
        answer(to, three, orders)
    assert orders == []
