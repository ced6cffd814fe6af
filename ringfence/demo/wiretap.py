# SPDX-License-Identifier: Apache-2.0
"""The place in the middle: everything that the router sends is seen here, and kept for an analyser."""

import subprocess
import threading
import time
from io import BufferedReader
from pathlib import Path
from typing import Self

from ringfence.capture.pcap import BadCapture, Frame, PcapWriter, read_pcap
from ringfence.demo.errors import NotTrue
from ringfence.demo.namespaces import TIED, Host
from ringfence.demo.packets import Seen, read

SECONDS = 5.0


class Wiretap:
    """A live capture on one host; use it with ``with``."""

    def __init__(self, host: Host, interfaces: list[str], capture: Path) -> None:
        self._host = host
        self._file = capture.open("wb")
        self._writer = PcapWriter(self._file)
        self._news = threading.Condition()
        self._seen: list[Seen] = []
        self._process = subprocess.Popen(  # noqa: S603
            [*host.prefix, *TIED, *host.python("-m", "ringfence.capture.live", *interfaces)], stdout=subprocess.PIPE
        )
        self._reader = threading.Thread(target=self._read, name="wiretap", daemon=True)
        self._ready = threading.Event()
        self._reader.start()
        if not self._ready.wait(SECONDS * 2):
            self.close()
            raise NotTrue("The capture on the router does not begin.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the capture; its file is complete then."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._file.close()

    def mark(self) -> int:
        """Now, as a number of frames, for ``since``."""
        with self._news:
            return len(self._seen)

    def since(self, mark: int = 0) -> list[Seen]:
        """What was seen after ``mark``."""
        with self._news:
            return self._seen[mark:]

    def settle(self, quiet: float = 0.15, most: float = 1.5) -> None:
        """Wait until nothing has been seen for a moment."""
        end = time.monotonic() + most
        with self._news:
            while self._news.wait(quiet) and time.monotonic() < end:
                pass

    def inject(self, interface: str, frame: bytes) -> None:
        """Put a frame on the wire."""
        self._host.run(*self._host.python("-m", "ringfence.demo.inject", interface, frame.hex()))

    def _read(self) -> None:
        stream = self._process.stdout
        if not isinstance(stream, BufferedReader):
            return
        try:
            if stream.peek(1):  # it watches from when it writes the file's header
                self._ready.set()
            for frame in read_pcap(stream):
                self._keep(frame)
        except BadCapture:  # it was cut off by the end
            return

    def _keep(self, frame: Frame) -> None:
        seen = read(frame)
        if seen is None or ":" in seen.source:  # IPv6 looks for its neighbours, which is no part of the story
            return
        with self._news:
            self._writer.write(frame)
            self._seen.append(seen)
            self._news.notify_all()
