# SPDX-License-Identifier: Apache-2.0
"""Sends the clients of this gateway to another one, by order (RFC 5685)."""

from collections.abc import Callable, Iterable

from ringfence.control.draining import Drained, Draining
from ringfence.control.errors import BadRequest
from ringfence.ike.info import IkeSaInfo
from ringfence.ike.lifetime import IkeState
from ringfence.net.address import parse_address

CURE = "Name its address, such as 198.51.100.8."


def drained(order: Draining, sas: Iterable[IkeSaInfo], drain: Callable[[bytes | None], None]) -> Drained:
    """Carry an order out; raises BadRequest for what is no address of another gateway."""
    if not order.to:
        drain(None)
        return Drained(to="", clients=0, staying=0, text="This gateway serves its clients itself.")
    to = _address(order.to)
    theirs = [sa for sa in sas if sa.state is IkeState.ESTABLISHED and not sa.initiator]
    if any(sa.path.local.address == to for sa in theirs):
        raise BadRequest(f"{order.to} is an address of this computer.", cure="Name that of another gateway.")
    going = [sa for sa in theirs if sa.refers and len(sa.path.local.address) == len(to)]
    drain(to)
    staying = len(theirs) - len(going)
    text = f"{len(going)} clients are sent to {order.to}, and those that come in from now on."
    if staying:
        text += f" {staying} main modes stay: their peers cannot be sent on. ringfence sa list shows them."
    return Drained(to=order.to, clients=len(going), staying=staying, text=text)


def _address(text: str) -> bytes:
    try:
        return parse_address(text)
    except ValueError as error:
        raise BadRequest(f'"{text}" is no IP address.', cure=CURE) from error
