# SPDX-License-Identifier: Apache-2.0
"""Two hosts behind a plain router, as fixtures."""

from collections.abc import Iterator

import pytest
from integration.backend_lab import Pair, watch
from lab.fixtures import unavailable

from ringfence.testing.namespaces import Lab, routed_pair


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Skip where there can be none, or fail where they are required."""
    if obstacle := Lab.obstacle():
        unavailable(obstacle)


def hosts() -> Iterator[Pair]:
    with routed_pair() as (alice, router, bob):
        watch(router)
        yield Pair(alice, router, bob)


@pytest.fixture
def pair(namespaces: None) -> Iterator[Pair]:
    """Fresh hosts."""
    yield from hosts()


@pytest.fixture(scope="module")
def pair_of_module(namespaces: None) -> Iterator[Pair]:
    """Hosts that a module's tests share."""
    yield from hosts()
