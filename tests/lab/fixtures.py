# SPDX-License-Identifier: Apache-2.0
"""Peers as pytest fixtures: name one as a test's argument and it is there.

    def test_something(linux_guest): ...      a Linux kernel with AH and ESP, no daemon
    def test_something(strongswan): ...       strongswan.up(MODE="tunnel"); strongswan.initiate()
    def test_something(libreswan): ...

A guest is booted once per session and shared; a test finds it without SAs and policies. Where a peer is missing, the
test is skipped and says what is missing; with RINGFENCE_REQUIRE_PEERS=1 it fails.
"""

import os
from collections.abc import Iterator

import pytest

from lab.guest import Guest, Peer, missing


def unavailable(reason: str) -> None:
    """Skip, or fail where peers are required."""
    if os.environ.get("RINGFENCE_REQUIRE_PEERS"):
        pytest.fail(f"RINGFENCE_REQUIRE_PEERS is set, and {reason}", pytrace=False)
    pytest.skip(reason)


def session_guest(kind: str, cls: type[Guest], factory: pytest.TempPathFactory) -> Iterator[Guest]:
    if reason := missing(kind):
        unavailable(reason)
    guest = cls.boot(kind, factory.mktemp(kind))
    yield guest
    guest.stop()


@pytest.fixture(scope="session")
def session_linux(tmp_path_factory):
    yield from session_guest("linux", Guest, tmp_path_factory)


@pytest.fixture(scope="session")
def session_strongswan(tmp_path_factory):
    yield from session_guest("strongswan", Peer, tmp_path_factory)


@pytest.fixture(scope="session")
def session_strongswan6(tmp_path_factory):
    yield from session_guest("strongswan6", Peer, tmp_path_factory)


@pytest.fixture(scope="session")
def session_libreswan(tmp_path_factory):
    yield from session_guest("libreswan", Peer, tmp_path_factory)


@pytest.fixture(scope="session")
def session_libreswan5(tmp_path_factory):
    yield from session_guest("libreswan5", Peer, tmp_path_factory)


@pytest.fixture(scope="session")
def session_openiked(tmp_path_factory):
    yield from session_guest("openiked", Peer, tmp_path_factory)


@pytest.fixture
def openiked(session_openiked: Peer) -> Peer:
    """A Linux kernel with OpenIKED, not yet running."""
    session_openiked.forget()
    return session_openiked


@pytest.fixture
def linux_guest(session_linux: Guest) -> Guest:
    """A Linux kernel with AH and ESP."""
    session_linux.forget()
    return session_linux


@pytest.fixture
def strongswan(session_strongswan: Peer) -> Peer:
    """A Linux kernel with strongSwan, not yet running."""
    session_strongswan.forget()
    return session_strongswan


@pytest.fixture
def strongswan6(session_strongswan6: Peer) -> Peer:
    """The same with a strongSwan that knows ML-KEM."""
    session_strongswan6.forget()
    return session_strongswan6


@pytest.fixture
def libreswan(session_libreswan: Peer) -> Peer:
    """A Linux kernel with Libreswan, not yet running."""
    session_libreswan.forget()
    return session_libreswan


@pytest.fixture
def libreswan5(session_libreswan5: Peer) -> Peer:
    """The same with a Libreswan that resumes sessions, and mixes keys in early."""
    session_libreswan5.forget()
    return session_libreswan5


@pytest.fixture
def peer(request) -> Peer:
    """The peer that the test is parametrized with: ``@pytest.mark.parametrize("peer", PEERS, indirect=True)``."""
    return request.getfixturevalue(request.param)
