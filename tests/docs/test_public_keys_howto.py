# SPDX-License-Identifier: Apache-2.0
"""docs/howto/public-keys.md: its commands make what its policy names, and that policy holds."""

import re
import subprocess
from pathlib import Path

import pytest

from ringfence.cli.main import main
from ringfence.databases.rawkeys import PublicKeyAuth
from ringfence.net.address import parse_address
from ringfence.policy.compile import compile_policy
from ringfence.policy.host import HostFacts
from ringfence.stores.file import FileStore

PAGE = (Path(__file__).parents[2] / "docs/howto/public-keys.md").read_text()


def block(kind: str) -> str:
    [found] = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return found


def test_the_commands_make_what_the_policy_names(tmp_path, capsys):
    made = "\n".join(line for line in block("sh").splitlines() if not line.startswith("ringfence"))
    subprocess.run(["sh", "-e", "-c", made], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    shown = re.findall(r"^ringfence key show --pem (\S+) > (\S+)$", block("sh"), re.MULTILINE)
    assert len(shown) == 2
    for private, public in shown:
        capsys.readouterr()
        assert main(["key", "show", "--pem", str(tmp_path / private)]) == 0
        (tmp_path / public).write_text(capsys.readouterr().out)
    (tmp_path / "policy.toml").write_text(block("toml"))
    loaded = FileStore(tmp_path / "policy.toml").load()
    assert loaded.findings == ()
    compiled = compile_policy(loaded.policy, HostFacts((parse_address("192.0.2.1"),)), loaded.keys, loaded.wallet)
    assert compiled.refusals == ()
    [way] = compiled.pad.entries[0].auth
    assert isinstance(way, PublicKeyAuth)
    assert set(loaded.signers) == {way.own.id}


@pytest.mark.parametrize("reason", re.findall(r"`([a-z-]+)`", PAGE.split("## When it fails")[1]))
def test_every_reason_that_it_names_is_one(reason):
    from ringfence.ike.errors import Reason

    assert reason in {one.value for one in Reason}
