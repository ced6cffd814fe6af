# SPDX-License-Identifier: Apache-2.0
"""Whose address whom an IKE SA gives: the configuration payload of IKE_AUTH on the policy's and the leases' behalf.

Only a peer that has proved who it is gets here. It gets addresses of the pool that the policy has for what it proved,
and no traffic but theirs goes through its tunnel (``child``): with no address of ours, a peer that a pool is for gets
no child SA by that rule.
"""

from ringfence.databases.identity import Identity
from ringfence.databases.pad import PadEntry
from ringfence.databases.pool import Assigned, Pool
from ringfence.ike.claims import Claim
from ringfence.ike.effects import Assign
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import Chain
from ringfence.ike.v2 import configuration
from ringfence.ike.v2.payloads import ConfigPayload
from ringfence.ike.v2.peers import Proved
from ringfence.ike.v2.refusals import refusal, refused_by_peer
from ringfence.ike.world import World
from ringfence.net.address import Path


class Assigning:
    """What one IKE SA gives, and is given."""

    def __init__(self, ike_id: int, path: Path, world: World) -> None:
        self._id, self._path, self._world = ike_id, path, world

    def ask(self, entry: PadEntry) -> tuple[ConfigPayload, ...]:
        """What we ask a peer for."""
        return configuration.request(entry.asks, self._world.assignments.last(entry.name))

    def take(self, chain: Chain, entry: PadEntry) -> tuple[Assign, ...]:
        """What a peer's answer gives us, from now on ours; raises Refused where we get no address but want one."""
        if entry.asks is None:
            return ()
        refused = refusal(chain)
        if refused is not None and chain.maybe(ConfigPayload) is None:
            raise refused_by_peer(refused)
        given = configuration.given(chain, entry.asks)
        return (self._world.assignments.assign(self._id, entry.name, given),)

    def give(self, chain: Chain, proved: Proved, *, anew: bool) -> tuple[ConfigPayload, ...]:
        """Our answer to what a peer asks for; raises Refused where it wants an address, and there is none left.

        ``anew``: the peer says that it has nothing else with us.
        """
        asked = configuration.wishes(chain)
        if asked is None:
            return ()
        entries = [proved.entry, *(one for one in self._world.pad if proved.satisfies(one, self._path))]
        pool = next((one.pool for one in entries if one.pool is not None), None)
        leased = () if pool is None else self._lease(pool, asked, proved, anew=anew)
        if pool is not None and asked.families and not leased:
            raise Refused(Reason.NO_ADDRESS, f'pool "{pool.name}" has no address for {proved.remote}')
        protected = (
            entry.selector.source
            for entry in self._world.protected_with(lambda one: proved.satisfies(one, self._path))
            if entry.processing is not None and entry.processing.assigned is Assigned.THEIRS
        )
        reply = configuration.reply(asked, pool, leased, protected)
        return (reply,) if reply.attributes else ()

    def _lease(
        self, pool: Pool, asked: configuration.Wishes, proved: Proved, *, anew: bool
    ) -> tuple[bytes, ...]:  # fmt: skip
        leases, found, owner = self._world.assignments.leases, list[bytes](), owner_of(proved.claim, pool)
        for octets in asked.families:
            if pool.has_family(octets):
                wanted = asked.address(octets)
                address = leases.lease(pool, owner, octets, self._id, wanted=wanted, anew=anew)
                found += [] if address is None else [address]
        return tuple(found)


def owner_of(claim: Claim, pool: Pool) -> Identity:
    """Whose a lease is: a name that was proved. A certificate is about several, and what its owner calls himself need
    not be one of them.
    """
    named = (claim.identity, *claim.names) if claim.identity in claim.names else claim.names
    return next((one for one in named if one in pool.fixed), named[0] if named else claim.identity)
