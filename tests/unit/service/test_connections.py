# SPDX-License-Identifier: Apache-2.0
"""At which ports TCP connections are taken, and which are kept."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from ringfence.backends.base import BackendError
from ringfence.databases.pad import Ends, Pad, PadEntry
from ringfence.databases.spd import Origin
from ringfence.databases.tcp import Tcp
from ringfence.ike.effects import Keep, Release
from ringfence.net.address import AddressRange, Path
from ringfence.service.connections import Connections
from ringfence.testing.network import path_between

BY_TCP = replace(path_between("10.0.0.1", "10.0.0.2", 4500), tcp=True)


class Streams:
    """Writes down what it is told."""

    ports: frozenset[int] = frozenset()

    def __init__(self) -> None:
        self.done: list[tuple[str, Path]] = []

    def listen(self, ports: Iterable[int]) -> None:
        self.ports = frozenset(ports)

    def keep(self, path: Path) -> None:
        self.done.append(("keep", path))

    def release(self, path: Path) -> None:
        self.done.append(("release", path))


def pad_with(*ports: int | None) -> Pad:
    ends = (Ends(AddressRange.parse("10.0.0.2")),)
    tcp = [None if port is None else Tcp(port=port) for port in ports]
    return Pad(tuple(PadEntry(str(one), ends, (), (), Origin("lab"), keying=(2,), tcp=one) for one in tcp))


def test_they_are_kept_and_released_as_the_engine_says() -> None:
    streams = Streams()
    for effect in (Keep(BY_TCP), Release(BY_TCP)):
        Connections(streams).take(effect)
        Connections(None).take(effect)
    assert streams.done == [("keep", BY_TCP), ("release", BY_TCP)]


def test_a_policy_says_at_which_ports_they_are_taken() -> None:
    streams = Streams()
    for ports in ((443, None, 4500), (443,), (None,)):
        with Connections(streams).following(pad_with(*ports)):
            assert streams.ports == {*ports} - {None}
        assert streams.ports == {*ports} - {None}
    with Connections(None).following(pad_with(443)):
        pass


def test_a_policy_that_cannot_be_carried_out_changes_no_port() -> None:
    streams = Streams()
    streams.listen([443])
    with pytest.raises(BackendError), Connections(streams).following(pad_with(4500)):
        raise BackendError("no")
    assert streams.ports == {443}
