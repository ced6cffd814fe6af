# SPDX-License-Identifier: Apache-2.0
"""docs/howto/users.md: its documents are right, and come to ways by EAP."""

import re
from pathlib import Path

import pytest
from lab.authority import authority

from ringfence.databases.certification import CertificateAuth
from ringfence.databases.eap import EapAuth, EapMethod
from ringfence.net.address import parse_address
from ringfence.policy.compile import compile_policy
from ringfence.policy.host import HostFacts
from ringfence.stores.file import FileStore
from ringfence.stores.users import parse_users

PAGE = (Path(__file__).parents[2] / "docs/howto/users.md").read_text()
GATEWAY, USERS, RADIUS, USER, BEHIND = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    root = authority()
    gateway = root.issue("CN=vpn.corp.example,O=Lab", kind="rsa", names=("vpn.corp.example",))
    root.write(tmp_path, "ca")
    gateway.write(tmp_path, "gateway")
    for name, text in {"users.toml": USERS, "alice.password": "x", "radius.secret": "y"}.items():
        (tmp_path / name).write_text(text)
    for one in tmp_path.iterdir():
        one.chmod(0o600)
    return tmp_path


@pytest.mark.parametrize("document", [GATEWAY, RADIUS + GATEWAY[: GATEWAY.index("[certificate")], USER])
def test_each_document_comes_to_a_way_by_eap(folder, document):
    (folder / "policy.toml").write_text(document)
    loaded = FileStore(folder / "policy.toml").load()
    host = HostFacts((parse_address("192.0.2.1"),))
    compiled = compile_policy(loaded.policy, host, loaded.keys, loaded.wallet)
    assert compiled.refusals == ()
    [way] = compiled.pad.entries[0].auth
    assert isinstance(way, EapAuth)
    assert (way.user is None) is (document is not USER)
    assert (way.directory is None) is (document is USER)


def test_a_user_behind_his_computer(folder):
    (folder / "policy.toml").write_text(BEHIND)
    loaded = FileStore(folder / "policy.toml").load()
    compiled = compile_policy(loaded.policy, HostFacts((parse_address("192.0.2.1"),)), loaded.keys, loaded.wallet)
    assert compiled.refusals == ()
    [entry] = compiled.pad.entries
    assert isinstance(entry.auth[0], CertificateAuth)
    [way] = entry.second
    assert isinstance(way, EapAuth)
    assert (entry.admits_users(), entry.second_optional) == (False, False)


def test_the_list_is_one():
    assert set(parse_users(USERS.encode(), "users.toml")) == {"alice", "CORP\\bob"}


def test_every_method_is_named():
    table = PAGE[PAGE.index("| method") :]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == {one.value for one in EapMethod}
