# SPDX-License-Identifier: Apache-2.0
"""Every step of the check fails by its name, with what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringfence.stores.directory.connection import Directory, Server
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.joincheck import Step, check
from ringfence.stores.directory.objects import Entry
from ringfence.stores.directory.store import Membership
from ringfence.testing.directory import without
from tests.unit.stores.directory.test_store import RULE, Domain

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def domain(tmp_path: Path) -> Domain:
    (tmp_path / "keytab").write_bytes(b"\5\2")
    made = Domain(tmp_path / "state")
    made.change("", currentTime=b"20260102030400.0Z")
    return made


def steps(
    domain: Domain, tmp_path: Path, computer: str = "ALICE$", today: datetime = NOW, keytab: str = "keytab"
) -> list[Step]:
    @contextmanager
    def connect(server: Server) -> Iterator[Directory]:
        if domain.directory.down:
            raise DirectoryFailed("it is down", cure="Is it up?")
        yield domain.directory

    return list(check(Membership(Server("ldap://dc1", tmp_path / keytab), computer), connect, [], today))


def test_all_is_well(domain: Domain, tmp_path: Path) -> None:
    found = steps(domain, tmp_path)
    assert [one.name for one in found] == ["keytab", "server", "clock", "account", "assignment", "policy"]
    assert all(one.fine for one in found)
    assert found[2].what == "it is 5 seconds off the server's"
    assert '"Secure Server (Require Security)" can be read, with 3 rules' in found[-1].what


def last(found: list[Step]) -> Step:
    *fine, wrong = found
    assert all(one.fine for one in fine)
    assert not wrong.fine
    return wrong


def test_what_is_wrong_ends_it(domain: Domain, tmp_path: Path) -> None:
    assert "cannot be read" in last(steps(domain, tmp_path, keytab="none")).what
    (tmp_path / "other").write_text("no keytab")
    assert "is no keytab" in last(steps(domain, tmp_path, keytab="other")).what
    wrong = last(steps(domain, tmp_path, computer="BOB$"))
    assert (wrong.name, "no account called BOB$" in wrong.what) == ("account", True)
    whole = domain.directory.entries
    domain.directory.entries = without(whole, RULE)
    assert last(steps(domain, tmp_path)).name == "policy"
    domain.directory.entries = whole
    domain.change("IPSEC", ipsecOwnersReference=None)
    assert "none of 1 GPOs assigns a policy" in last(steps(domain, tmp_path)).what
    domain.directory.down = True
    assert last(steps(domain, tmp_path)) == Step("server", False, "it is down", "Is it up?")


def test_a_clock_that_is_wrong_is_told_and_the_rest_is_checked(domain: Domain, tmp_path: Path) -> None:
    found = {one.name: one for one in steps(domain, tmp_path, today=NOW + timedelta(hours=1))}
    assert not found["clock"].fine
    assert found["clock"].what == "it is 3605 seconds off the server's"
    assert found["policy"].fine
    domain.change("", currentTime=None)
    assert "clock" not in {one.name for one in steps(domain, tmp_path)}


def test_references_that_are_not_whole_are_told(domain: Domain, tmp_path: Path) -> None:
    domain.directory.entries = [
        Entry(one.dn, {**one.values, "ipsecownersreference": ()}) if one.name == RULE else one
        for one in domain.directory.entries
    ]
    wrong = last(steps(domain, tmp_path))
    assert (wrong.name, RULE in wrong.what) == ("references", True)
    assert replace(wrong, fine=True) != wrong
