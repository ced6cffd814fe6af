# SPDX-License-Identifier: Apache-2.0
"""Every version's IKE SA is what the engine asks for."""

import inspect

import pytest

from ringfence.ike.association import IkeSa, Renewable
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1 import session as v1
from ringfence.ike.v2 import session as v2
from ringfence.ike.world import World
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

WANTED = {name for name in (*vars(IkeSa), *IkeSa.__annotations__) if not name.startswith("_")}


@pytest.mark.parametrize(("number", "kind"), [(1, v1.Session), (2, v2.Session)])
def test_has_all_that_the_engine_asks_for(number, kind):
    policy = HostPolicy("192.0.2.1", "192.0.2.2")
    world = World(SeededRandom(0), IkeSettings())
    world.spd, world.pad = policy.compiled()
    path = path_between(policy.local, policy.remote)
    session = kind(1, path, (b"ours    ", bytes(8)), tuple(world.pad), world, initiator=True)
    session.rule = ""
    assert session.version == number
    assert isinstance(session, Renewable) == (number == 2)
    assert [name for name in sorted(WANTED) if not hasattr(session, name)] == []
    for name in WANTED:
        method = getattr(IkeSa, name, None)
        if inspect.isfunction(method):
            assert list(inspect.signature(method).parameters) == list(
                inspect.signature(getattr(kind, name)).parameters
            ), name
