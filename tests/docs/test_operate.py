# SPDX-License-Identifier: Apache-2.0
"""docs/howto/operate.md shows what the commands say, and explains only what they do say."""

import re
import shutil
from pathlib import Path

import pytest
from integration.replay import BLOCK, FASTER, kinds, session, steps

from ringfence.cli.status import DROPS
from ringfence.datapath.verdict import Drop
from ringfence.testing.namespaces import Lab

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/howto/operate.md").read_text()


@pytest.mark.root
@pytest.mark.timeout(180)
def test_the_session_is_what_it_says() -> None:
    if obstacle := Lab.obstacle():
        pytest.skip(obstacle)
    with session() as now:
        for host, command, said in (step for block in BLOCK.findall(TEXT) for step in steps(block)):
            heard = now.run(host, command)
            if heard.strip() == FASTER or ("curl" in command and not shutil.which("curl")):
                continue
            if "tshark" in command and not (shutil.which("tshark") and now.captured(host)):
                continue
            assert kinds(heard) == kinds(said), command


def sayings() -> list[str]:
    """The first cells of the tables."""
    rows = re.findall(r"^\| `([^`]+)`(?: in `status`)? \|", TEXT, re.MULTILINE)
    return [row for row in rows if row]


@pytest.mark.parametrize("saying", sayings())
def test_it_is_said_so(saying: str) -> None:
    reasons = {DROPS.get(drop.value, drop.value.replace("-", " ")) for drop in Drop}
    code = "\n".join(path.read_text() for path in (ROOT / "ringfence").rglob("*.py"))
    begin = saying.removesuffix("NO-PROPOSAL-CHOSEN").rstrip()
    assert saying in reasons or begin in code


def test_there_are_sayings() -> None:
    assert len(sayings()) > 20


@pytest.mark.parametrize("setting", sorted(set(re.findall(r"`((?:main-mode\.)?[a-z][a-z-]+)(?: = [^`]*)?`", TEXT))))
def test_settings_are_those_of_the_manual(setting: str) -> None:
    manual = (ROOT / "docs/howto/policy.md").read_text()
    words = {"status", "monitor", "reload", "explain", "refused", "blocked", "replayed", "sha256sum", "why"}
    assert setting in words or f"`{setting}" in manual
