# SPDX-License-Identifier: Apache-2.0
"""The ends of a tunnel, and what is given and said through it besides."""

from dataclasses import dataclass

from ringfence.databases.pool import Asks
from ringfence.net.address import AddressRange


@dataclass(frozen=True, slots=True)
class Gateways:
    """The ends of a tunnel."""

    remote: bytes | None
    """None for any: the other end begins, from wherever it is."""
    local: bytes | None = None
    """None for the address of this computer in the family of ``remote``."""
    pool: str = ""
    """Who comes in gets an address of this one, and may use no other."""
    asks: Asks | None = None
    """We have an address of the other end's pool, and that alone goes through the tunnel."""
    others: tuple[AddressRange, ...] = ()
    """Other gateways that the remote one may send us to (RFC 5685)."""
    send_to: bytes | None = None
    """The gateway that we send those to who come in; None where we serve them."""
