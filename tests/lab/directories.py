# SPDX-License-Identifier: Apache-2.0
"""The directory servers of ``README-directory.md`` for tests: started, asked for their settings, stopped."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

LAB = Path(__file__).parent
START_LIMIT_S = 180


def missing(*programs: str) -> str:
    """What a test with a directory lacks; empty for nothing."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    for program in programs:
        if shutil.which(program, path=path) is None:
            return f"{program} is missing: tests/lab/install-ad"
    return "" if find_spec("ldap") else 'python-ldap is missing: pip install "ringfence[directory]"'


def run(script: str, *words: str | Path) -> str:
    """One command of a script of the lab."""
    done = subprocess.run(
        [LAB / script, *map(str, words)], capture_output=True, text=True, timeout=START_LIMIT_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{script} {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextmanager
def running(script: str, folder: Path, *words: str) -> Iterator[dict[str, str]]:
    """One of the servers; gives the shell variables that it has for clients."""
    run(script, "start", folder, *words)
    try:
        yield settings(folder)
    finally:
        run(script, "stop", folder)


def settings(folder: Path) -> dict[str, str]:
    """What ``DIR/env`` says."""
    lines = (folder / "env").read_text().splitlines()
    pairs = (line.removeprefix("export ").partition("=")[::2] for line in lines if "=" in line)
    return {name: value.strip("'") for name, value in pairs}
