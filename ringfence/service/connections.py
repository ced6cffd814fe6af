# SPDX-License-Identifier: Apache-2.0
"""TCP connections of IKE and ESP (RFC 9329): at which ports they are taken, and which are kept."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ringfence.backends.base import BackendError
from ringfence.databases.pad import Pad
from ringfence.ike.effects import Keep, Release
from ringfence.service.ports import Streams


class Connections:
    """Those of one host."""

    def __init__(self, streams: Streams | None) -> None:
        """None for a host without."""
        self._streams = streams

    @contextmanager
    def following(self, pad: Pad) -> Iterator[None]:
        """Take them at the ports that a policy names from now on, unless this fails; raises BackendError."""
        if self._streams is None:
            yield
            return
        before = self._streams.ports
        self._streams.listen({entry.tcp.port for entry in pad if entry.tcp is not None})
        try:
            yield
        except BaseException:
            with suppress(BackendError):
                self._streams.listen(before)
            raise

    def take(self, effect: Keep | Release) -> None:
        """Do what the engine says of one."""
        if self._streams is not None:
            (self._streams.keep if isinstance(effect, Keep) else self._streams.release)(effect.path)
