# SPDX-License-Identifier: Apache-2.0
"""Where addresses are at home: the interfaces that a packet with one of them may come or go by.

A statement for some networks is about the addresses that this computer has there, so the address decides, in the SPD as
in the packet filter. Linux takes packets for any of its addresses on any interface; where other statements hold
there, somebody in one network could be judged as if he were in another. So each address keeps to the interfaces where
the same statements hold, as on Windows it always does (strong host model). Where no statement names networks or
interfaces, or the same ones hold everywhere, nothing is kept apart.
"""

from collections.abc import Iterable

from ringfence.databases.spd import Home
from ringfence.policy.networks import Situation
from ringfence.policy.scope import Scope


def homes(scopes: Iterable[Scope], situations: Iterable[Situation]) -> tuple[Home, ...]:
    """The homes of all addresses, by the scopes of all statements; none where it makes no difference."""
    limits = [one for one in dict.fromkeys(scopes) if not one.everywhere]
    groups: dict[tuple[bool, ...], list[Situation]] = {}
    for one in situations:
        if one.name:
            groups.setdefault(tuple(one.within(limit) for limit in limits), []).append(one)
    if len(groups) < 2:
        return ()
    devices: dict[bytes, set[str]] = {}
    for group in groups.values():
        for address in {address for one in group for address in one.addresses}:
            devices.setdefault(address, set()).update(one.name for one in group)
    found: dict[tuple[str, ...], list[bytes]] = {}
    for address, names in devices.items():
        found.setdefault(tuple(sorted(names)), []).append(address)
    return tuple(
        sorted((Home(tuple(sorted(some)), names) for names, some in found.items()), key=lambda one: one.devices)
    )
