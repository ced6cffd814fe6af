# SPDX-License-Identifier: Apache-2.0
"""What NAT means for a policy, in all versions of IKE; how each finds it is in its own ``natt``."""

from dataclasses import replace
from typing import Protocol

from ringfence.databases import proposal
from ringfence.databases.pad import PadEntry, ThroughNat
from ringfence.databases.spd import Processing
from ringfence.ike.errors import Aborted, Reason, Refused


class Nat(Protocol):
    """What two hosts have found between them."""

    @property
    def local(self) -> bool:
        """Whether we are behind it."""

    @property
    def remote(self) -> bool:
        """Whether the peer is."""


def check_nat(entry: PadEntry, nat: Nat | None) -> None:
    """Begin with nobody behind NAT where the policy says so; raises Aborted."""
    if nat is None or not nat.remote or entry.through_nat is ThroughNat.BOTH:
        return
    if entry.through_nat is ThroughNat.NEVER:
        raise Aborted(Reason.NAT, "the peer is behind NAT, and the policy begins with nobody there")
    if nat.local:
        raise Aborted(Reason.NAT, "both sides are behind NAT, and the policy does not begin there")


def passing(processing: Processing, nat: Nat | None) -> Processing:
    """What of ``processing`` passes NAT; raises Refused when nothing does."""
    if nat is None:
        return processing
    methods = tuple(
        method
        for method in processing.methods
        if all(each.protocol is not proposal.Protocol.AH for each in method.transforms)
    )
    if not methods:
        raise Refused(Reason.NAT, "there is NAT between the hosts, which AH cannot pass: offer ESP as well")
    return replace(processing, methods=methods)
