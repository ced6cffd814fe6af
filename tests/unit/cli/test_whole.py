# SPDX-License-Identifier: Apache-2.0
"""Which document is edited, what it is part of, and what that means here."""

from pathlib import Path

import pytest

from ringfence.cli import whole
from ringfence.control.messages import PolicyState
from ringfence.editing.draft import Draft
from ringfence.errors import IpsecError
from ringfence.net.address import parse_address
from ringfence.policy.host import HostFacts
from ringfence.stores.errors import StoreError
from ringfence.testing.service import START, AnsweringService

BLOCK = '[[filter]]\nname = "{}"\nblock = "tcp to {}"\n'


def state(*files: Path, roots: tuple[Path, ...]) -> PolicyState:
    return PolicyState(
        document="policy.toml", rules=[], applied_at=START, files=[str(one) for one in files],
        roots=[str(one) for one in roots],
    )  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites/lab.toml").write_text(BLOCK.format("lab", 1))
    (tmp_path / "sites/web.toml").write_text(BLOCK.format("web", 2))
    path = tmp_path / "policy.toml"
    path.write_text('include = "sites/*.toml"\n' + BLOCK.format("own", 3))
    return path


def test_the_document_is_what_was_said_or_what_the_service_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = state(roots=(Path("/other.toml"), tmp_path / "own.toml"))
    assert whole.document_of(Path("said.toml"), own) == Path("said.toml")
    assert whole.document_of(None, own) == tmp_path / "own.toml"
    with pytest.raises(IpsecError, match=r"all documents of this folder.\nName the one to edit"):
        whole.document_of(None, state(roots=(tmp_path,)))
    monkeypatch.setenv("RINGFENCE_SOCKET", str(tmp_path / "none.sock"))
    assert whole.document_of(None) == Path("/etc/ringfence/policy.toml")


def test_what_a_service_follows(service: AnsweringService) -> None:
    found = whole.running()
    assert found == service.status().policy


def test_a_document_is_judged_with_what_includes_it(root: Path, tmp_path: Path) -> None:
    part = tmp_path / "sites/lab.toml"
    assert whole.root_of(part, None, None) == part
    assert whole.root_of(part, root, None) == root
    assert whole.root_of(part, None, state(root, part, roots=(root,))) == root
    assert whole.root_of(root, None, state(root, part, roots=(root,))) == root
    other = tmp_path / "other.toml"
    other.write_text("nonsense")
    assert whole.root_of(part, None, state(root, part, roots=(other, root))) == root
    draft = whole.draft_of(part, part.read_text(), root)
    assert (draft.name, draft.folder) == ("sites/lab.toml", "sites")
    assert [one.name for one in draft.sources] == ["sites/lab.toml", "sites/web.toml", "policy.toml"]
    other.write_text("")
    with pytest.raises(StoreError, match=r"other.toml does not include it.\nName another one with --root"):
        whole.draft_of(part, "", other)


def test_what_an_edit_means_here(monkeypatch: pytest.MonkeyPatch) -> None:
    here = HostFacts((parse_address("10.0.0.1"),))
    monkeypatch.setattr("ringfence.cli.document.facts_for", lambda policy: here)
    rule = '[[rule]]\nname = "lab"\nwith = "10.0.0.9"\nauth = {{ psk-file = "{}" }}\n'
    before, after, wrong = (
        whole.policy_of(Draft("p", text)) for text in (rule.format("one.psk"), rule.format("two.psk"), "nonsense = 1\n")
    )
    assert wrong is None
    assert whole.planned(before, after), "another key file is another key, though none is read"
    assert not whole.planned(before, before)
    assert whole.planned(before, wrong) is None
