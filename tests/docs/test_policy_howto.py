# SPDX-License-Identifier: Apache-2.0
"""docs/howto/policy.md names every setting and default that there is, and no other."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.control.explaining import explained
from ringfence.net.address import parse_address
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.host import HostFacts
from ringfence.policy.lint import lint
from ringfence.policy.resultant import PRECEDENCE
from ringfence.policy.terms import Security
from ringfence.policy.write import settings
from ringfence.secret import Secret
from ringfence.stores.file import FileStore
from ringfence.stores.include import DEPTH_AT_MOST, DOCUMENTS_AT_MOST

TEXT = (Path(__file__).parents[2] / "docs/howto/policy.md").read_text()
EVERYTHING = """
[[rule]]
name = "r"
remote = { networks = "10.0.0.0/8", gateway = "192.0.2.1" }
auth = { psk-file = "k" }
identity = { local = "a", remote = "b" }
[[filter]]
name = "f"
permit = "any"
[[filter]]
name = "s"
permit = "any"
secure = "encrypted"
allow = { computers = "a" }
deny = { computers = "b" }
"""
SHORT = ("lifetime", "auth", "local", "remote", "allow", "deny")


def test_every_setting_is_explained() -> None:
    policy = parse(EVERYTHING, name="p")
    for item in policy:
        for one in settings(item):
            name = one.name.partition(".")[0] if one.name.startswith(SHORT) else one.name
            assert f"`{name}" in TEXT, one


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL))
def test_its_examples_are_policies(block: str) -> None:
    parse(block, name="howto")


def test_its_defaults_are_the_real_ones() -> None:
    rows = dict(re.findall(r"^\| `([a-z.-]+)` \| `([^`]+)` \|", TEXT, re.MULTILINE))
    (rule,) = parse(EVERYTHING, name="p").rules
    found = {one.name: one.text for one in settings(rule) if one.default}
    for name, text in rows.items():
        if name in found:
            assert text == found[name], name
    assert len(rows.keys() & found.keys()) >= 15


def test_what_is_secure_is_explained_so() -> None:
    section = TEXT.split("## Only what is secure")[1].split("\n## ")[0]
    document, said = re.findall(r"```(?:toml|)\n(.*?)```", section, re.DOTALL)
    policy = parse(document, name="policy.toml")
    compiled = compile_policy(policy, HostFacts((parse_address("10.0.0.1"),)), {"corp.psk": Secret(b"a key")})
    command, _, answer = said.partition("\n")
    lines = explained(compiled, command.split('"')[1])[0].lines
    assert lines == answer.splitlines()
    assert lint(policy, compiled, HostFacts((parse_address("10.0.0.1"),))) == ()
    assert set(re.findall(r"^\| `\"([a-z-]+)\"` \|", section, re.MULTILINE)) == {one.value for one in Security}


def test_its_policy_as_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of the page hold, and what it shows of a failure is what a failure shows."""
    section = TEXT.split("## Policies as code")[1].split("\n## ")[0]
    policy, code, failure = re.findall(r"```(?:toml|python|)\n(.*?)```", section, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("policy.toml").write_text(policy)
    names: dict[str, Callable[..., None]] = {}
    exec(compile(code, "howto", "exec"), names)
    tests = [name for name in names if name.startswith("test_")]
    assert len(tests) == 2
    for name in tests:
        names[name]()
    with pytest.raises(AssertionError) as caught:
        names["assert_protected"]("policy.toml", "tcp 10.0.0.5 -> 10.0.0.9:23")
    assert f"AssertionError: {caught.value}\n" == failure


def test_its_several_documents(tmp_path: Path) -> None:
    section = TEXT.split("## Several documents")[1].split("\n## ")[0]
    (document,) = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    (tmp_path / "policy.toml").write_text(document)
    (tmp_path / "base.toml").write_text('[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n')
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites/lab.toml").write_text('\n[[filter]]\nname = "lab"\npermit = "icmp"\n')
    policy = FileStore(tmp_path / "policy.toml", keyless=True).load().policy
    assert [str(one.place) for one in (*policy.filters, *policy.rules)] == [
        "base.toml:1", "sites/lab.toml:2", "policy.toml:3",
    ]  # fmt: skip
    assert f"{DEPTH_AT_MOST} deep, {DOCUMENTS_AT_MOST:,} in all" in section
    assert "`sites/lab.toml:2`" in section


def test_the_page_about_stores_names_them_in_their_order() -> None:
    text = (Path(__file__).parents[2] / "docs/howto/stores.md").read_text()
    assert tuple(re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)) == PRECEDENCE
