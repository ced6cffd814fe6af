# SPDX-License-Identifier: Apache-2.0
"""Tells systemd how the service does, over the socket in ``NOTIFY_SOCKET`` (sd_notify(3)); silent without one."""

import os
import socket


def notify(state: str) -> None:
    """Send ``state``, such as ``READY=1``; nothing happens where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(address)
            sock.sendall(state.encode())
        except OSError:
            return
