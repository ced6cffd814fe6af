# SPDX-License-Identifier: Apache-2.0
"""Where the service listens."""

import os
from pathlib import Path

DEFAULT_SOCKET = Path("/run/ringfence/control.sock")
SOCKET_VARIABLE = "RINGFENCE_SOCKET"


def default_socket() -> Path:
    """The control socket, unless somebody names another one."""
    return Path(os.environ.get(SOCKET_VARIABLE) or DEFAULT_SOCKET)
