# SPDX-License-Identifier: Apache-2.0
"""What a process has in memory."""

from pathlib import Path


def resident_kib(pid: int | str = "self") -> int:
    """KiB of that process, or of this one."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
