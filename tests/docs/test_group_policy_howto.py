# SPDX-License-Identifier: Apache-2.0
"""docs/howto/group-policy.md: what it names is there, and its commands do what they say."""

import re
from pathlib import Path

from unit.transfer.grouppolicy.objects import pol

from ringfence.cli.main import main
from ringfence.cli.run import named_stores
from ringfence.stores.grouppolicy.store import open_folder
from ringfence.transfer.grouppolicy import settings
from ringfence.transfer.grouppolicy.sets import SHAPES

TEXT = (Path(__file__).parents[2] / "docs/howto/group-policy.md").read_text()
NAMES = {
    "ConSecRules", "MainModeRules", "FirewallRules", settings.IDLE, settings.EXEMPT, settings.CRL_CHECK,
    settings.THROUGH_NAT, settings.KEY_ENCODING, *(shape.keys[0] for shape in SHAPES.values()),
}  # fmt: skip


def test_every_place_that_is_read_stands_in_its_table() -> None:
    table = "".join(line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| "))
    said = set(re.findall(r"`([A-Za-z0-9]+)`", table))
    assert said >= NAMES
    assert f"{settings.IPSEC_MERGE} = 0" in table


def test_its_commands(tmp_path: Path) -> None:
    words = re.findall(r"^ringfence (policy .+)$", TEXT, re.MULTILINE)
    assert len(words) == 3
    (tmp_path / "registry.pol").write_bytes(pol("specification"))
    for line in words:
        arguments = re.split(r"\s{3,}", line)[0].split()
        files = [str(tmp_path / one) if one in ("policy.toml", "registry.pol") else one for one in arguments]
        if "--format" in files:
            files[files.index("--format") + 1] = "registry.pol"
            files.append("--force")
        assert main(files) in (0, 1), files
    assert (tmp_path / "registry.pol").read_bytes().startswith(b"PReg")


def test_its_store(tmp_path: Path) -> None:
    (store,) = re.findall(r"--store (\S+)", TEXT.split("## Following")[1])[:1]
    assert list(named_stores(None, [store])) == ["group-policy"]
    for name in re.findall(r"`(\d\d-[\w-]+)`", TEXT):
        file = tmp_path / name / "Machine" / "registry.pol"
        file.parent.mkdir(parents=True)
        file.write_bytes(pol("specification"))
    asides = open_folder(tmp_path).load().set_aside
    assert {str(one.winner) for one in asides} == {"20-servers"}
