# SPDX-License-Identifier: Apache-2.0
"""docs/howto/boot.md: its document holds as it says, its commands exist, and its unit is one."""

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from ringfence.cli.main import main
from ringfence.databases.boot import AfterStop, BootMode
from ringfence.policy.boot import BootSettings
from ringfence.policy.document import parse
from ringfence.policy.write import canonical

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/howto/boot.md").read_text()
(DOCUMENT,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = re.findall(r"^ringfence (boot|explain) (.*?)   +", TEXT, re.MULTILINE)


def test_the_document_says_what_is_no_default() -> None:
    boot = parse(DOCUMENT, name="howto").boot
    assert (boot.mode, boot.after_stop, len(boot.exempt)) == (BootMode.STATEFUL, AfterStop.GUARD, 2)
    assert "mode" not in canonical(parse(DOCUMENT, name="howto"))


def test_every_setting_and_word_is_explained() -> None:
    names = {one.name.replace("_", "-") for one in fields(BootSettings)} - {"place", "places"}
    assert names == set(re.findall(r"^\| `([a-z-]+)` \| `", TEXT, re.MULTILINE))
    for word in (*BootMode, *AfterStop):
        assert f'`"{word.value}"`:' in TEXT


def test_its_commands_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "policy.toml"
    document.write_text(DOCUMENT)
    assert len(COMMANDS) == 2
    found = []
    for verb, words in COMMANDS:
        parts = [one.strip('"') for one in re.findall(r'"[^"]*"|\S+', words)]
        assert main([verb, *(str(document) if one == "policy.toml" else one for one in parts)]) == 0
        found.append(capsys.readouterr().out)
    assert found[0].startswith("table inet ringfence_boot\n")
    assert "[boot] exempts it" in found[1]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_the_units_are_understood(tmp_path: Path) -> None:
    for name in ("ringfence-boot.service", "ringfence.service"):
        text = (ROOT / "packaging" / name).read_text().replace("/usr/local/bin/ringfence", "/bin/true")
        (tmp_path / name).write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
        )
        complaints = [line for line in done.stderr.splitlines() if name in line]
        assert complaints == []
