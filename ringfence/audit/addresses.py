# SPDX-License-Identifier: Apache-2.0
"""Events of addresses that peers give this host."""

from dataclasses import dataclass
from typing import ClassVar

from ringfence.audit.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressAssigned(Event):
    """A peer has given this host an address."""

    NAME: ClassVar[str] = "address-assigned"
    rule: str
    addresses: str
    """Such as ``10.9.0.7 fd00:9::7``."""
    servers: str
    """Name servers that are asked from now on."""
    domains: str
    """The names that these are asked for; empty: all, if there are servers."""
    left_out: str
    """Name servers that are not asked, since the policy protects nothing with them."""

    def __str__(self) -> str:
        text = f'this computer has {self.addresses} by rule "{self.rule}"'
        if self.servers:
            text += f", and asks {self.servers} for names" + (f" in {self.domains}" if self.domains else "")
        return text + (f"; not {self.left_out}, for what is sent there is not protected" if self.left_out else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressWithdrawn(Event):
    """It has that no longer."""

    NAME: ClassVar[str] = "address-withdrawn"
    rule: str
    addresses: str

    def __str__(self) -> str:
        return f'this computer has {self.addresses} no longer, which it had by rule "{self.rule}"'
