# SPDX-License-Identifier: Apache-2.0
"""Puts frames on a wire as they are, as an attacker would: ``python -m ringfence.demo.inject eth1 HEX...``."""

import socket
import sys
from collections.abc import Iterable


def inject(interface: str, frames: Iterable[bytes]) -> None:
    """Send whole Ethernet frames by ``interface``."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((interface, 0))
        for frame in frames:
            wire.send(frame)


def main() -> None:
    """Send what the command line says."""
    inject(sys.argv[1], map(bytes.fromhex, sys.argv[2:]))


if __name__ == "__main__":
    main()
