# SPDX-License-Identifier: Apache-2.0
"""Which protocol is this, and whose: the first look at a datagram, before any state is touched."""

from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.header import HEADER_OCTETS, NO_COOKIE, Exchange, Header
from ringfence.ike.v2.stranger import begins as begins_v2
from ringfence.wire import DecodeError

MOST_OCTETS = 65535


def header_of(datagram: bytes) -> Header:
    """The header of a message whose length is right; raises Ignored."""
    try:
        header = Header.decode(datagram[:HEADER_OCTETS])
    except DecodeError as error:
        raise Ignored(Reason.MALFORMED, f"{len(datagram)} octets are no IKE message") from error
    if header.length != len(datagram):
        raise Ignored(Reason.MALFORMED, f"a message says that it has {header.length} octets, and has {len(datagram)}")
    if header.major == 0:
        raise Ignored(Reason.VERSION, "IKE version 0 is not served here")
    if header.initiator_cookie == NO_COOKIE:
        raise Ignored(Reason.MALFORMED, "a message without an initiator's cookie")
    return header


def begins(header: Header) -> bool:
    """Whether this may be the first message of a new IKE SA; raises Ignored for exchanges that nobody serves."""
    if header.major != 1:
        return header.major == 2 and begins_v2(header)
    if header.responder_cookie != NO_COOKIE:
        return False
    if header.exchange in (Exchange.INFORMATIONAL, Exchange.QUICK):
        return False
    if header.exchange not in (Exchange.MAIN, Exchange.AGGRESSIVE):
        name = header.exchange.name.lower() if isinstance(header.exchange, Exchange) else str(header.exchange)
        raise Ignored(Reason.EXCHANGE_TYPE, f"exchange type {name} is not served here")
    return header.message_id == 0 and not header.encrypted
