# SPDX-License-Identifier: Apache-2.0
"""docs/howto/certificates.md: its commands make what its policy names, and that policy holds."""

import re
import subprocess
from pathlib import Path

import pytest

from ringfence.databases.certification import CertificateAuth
from ringfence.net.address import parse_address
from ringfence.policy.compile import compile_policy
from ringfence.policy.host import HostFacts
from ringfence.stores.file import FileStore

PAGE = (Path(__file__).parents[2] / "docs/howto/certificates.md").read_text()


def block(kind: str) -> str:
    [found] = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("howto")
    subprocess.run(["sh", "-e", "-c", block("sh")], cwd=made, check=True, capture_output=True, timeout=60)
    (made / "policy.toml").write_text(block("toml"))
    return made


def test_the_commands_make_what_the_policy_names(folder):
    loaded = FileStore(folder / "policy.toml").load()
    assert loaded.findings == ()
    compiled = compile_policy(
        loaded.policy, HostFacts((parse_address("192.0.2.1"),)), loaded.keys, loaded.wallet
    )  # fmt: skip
    assert compiled.refusals == ()
    [way] = compiled.pad.entries[0].auth
    assert isinstance(way, CertificateAuth)
    assert [one.leaf.subject_text for one in way.own] == ["CN=alice,O=Lab"]
    assert set(loaded.signers) == {way.own[0].id}


def test_without_the_authority_the_policy_is_refused_with_a_cure(folder):
    text = re.sub(r"\[authority.*?\n\n", "", block("toml"), flags=re.DOTALL)
    (folder / "other.toml").write_text(text)
    loaded = FileStore(folder / "other.toml").load()
    compiled = compile_policy(loaded.policy, HostFacts((parse_address("192.0.2.1"),)), loaded.keys, loaded.wallet)
    [refusal] = compiled.refusals
    assert '[authority."CN=Lab CA, O=Lab"]' in refusal.cure


@pytest.mark.parametrize("reason", re.findall(r"`([a-z-]+)`", PAGE.split("## When it fails")[1]))
def test_every_reason_that_it_names_is_one(reason):
    from ringfence.ike.errors import Reason

    assert reason in {one.value for one in Reason}
