# SPDX-License-Identifier: Apache-2.0
"""The store of a domain: what it assigns is followed, kept, and goes; servers that fail change nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from lab.ldif import default_policies

from ringfence.policy.errors import PolicyError
from ringfence.stores.directory.cache import FILE, kept
from ringfence.stores.directory.connection import Directory, Server
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.grouppolicy import EXTENSION, pointer
from ringfence.stores.directory.objects import Class, Entry
from ringfence.stores.directory.store import DirectoryStore, Membership
from ringfence.stores.errors import StoreError
from ringfence.testing.directory import MemoryDirectory, called, changed

BASE = "DC=corp,DC=example"
GPO = f"CN={{1}},CN=Policies,CN=System,{BASE}"
SECURE = "ipsecPolicy{7238523C-70FA-11D1-864C-14A300000000}"
ENTRIES = [Entry.of(dn, values) for dn, values in default_policies().items()]
POLICY = called(ENTRIES, Class.POLICY, "Secure Server (Require Security)")
RULE = "ipsecNFA{7238523E-70FA-11D1-864C-14A300000000}"

EXTENSIONS = {"gPCMachineExtensionNames": [EXTENSION.encode()]}


class Domain:
    """A domain with a computer to which a GPO assigns a policy."""

    def __init__(self, folder: Path) -> None:
        self.directory = MemoryDirectory([
            *changed(ENTRIES, SECURE, whenChanged=b"20260101000000.0Z"),
            Entry.of("", {"defaultNamingContext": [BASE.encode()]}),
            Entry.of(BASE, {"objectClass": [b"domainDNS"], "gPLink": [f"[LDAP://{GPO};0]".encode()]}),
            Entry.of(f"CN=alice,CN=Computers,{BASE}", {"sAMAccountName": [b"ALICE$"]}),
            Entry.of(GPO, {"displayName": [b"IPsec"], "versionNumber": [b"1"], **EXTENSIONS}),
            Entry.of(pointer(GPO), {"ipsecOwnersReference": [POLICY.dn.encode()], "ipsecName": [b"Secure Server"]}),
        ])  # fmt: skip
        self.folder, self.seconds = folder, 0.0
        self.store = self.another()

    def another(self) -> DirectoryStore:
        """The store after a restart."""
        return DirectoryStore(
            Membership(Server("ldap://dc1"), "ALICE$"), "directory.toml", self.folder, connect=self.connect,
            now=lambda: self.seconds, today=lambda: datetime(2026, 1, 2, 3, 4),  # noqa: DTZ001
        )  # fmt: skip

    @contextmanager
    def connect(self, server: Server) -> Iterator[Directory]:
        assert server.uri == "ldap://dc1"
        yield self.directory

    def change(self, name: str, **values: bytes | None) -> None:
        self.directory.entries = changed(self.directory.entries, name, **values)


@pytest.fixture
def domain(tmp_path: Path) -> Domain:
    return Domain(tmp_path / "state")


def title(store: DirectoryStore) -> str:
    ipsec = store.load().policy.ipsec
    return "" if ipsec is None else ipsec.title


def test_the_assigned_policy_is_had_and_asked_for_again_in_time(domain: Domain) -> None:
    loaded = domain.store.load()
    assert title(domain.store) == POLICY.text("ipsecName")
    assert loaded.document_name == f'"{POLICY.text("ipsecName")}" of GPO "IPsec" at {BASE}'
    assert not domain.store.changed()
    domain.seconds = 90 * 60 - 1
    assert not domain.store.changed()
    domain.seconds = 90 * 60
    assert domain.store.changed()


def test_a_shorter_interval_of_the_policy_is_kept(domain: Domain) -> None:
    data = POLICY.octets("ipsecData")
    assert data is not None
    domain.change(SECURE, ipsecData=data[:20] + (300).to_bytes(4, "little") + data[24:])
    domain.store.load()
    domain.seconds = 300
    assert domain.store.changed()


def test_objects_are_read_anew_only_when_the_policys_own_has_changed(domain: Domain) -> None:
    domain.store.load()
    whole = domain.directory.asked
    domain.change(RULE, ipsecName=b"renamed")
    again = domain.store.load()
    assert domain.directory.asked - whole == whole - 1
    assert "renamed" not in {one.name for one in again.policy.ipsec.own_rules}  # type: ignore[union-attr]
    domain.change(SECURE, whenChanged=b"20260101000001.0Z")
    assert "renamed" in {one.name for one in domain.store.load().policy.ipsec.own_rules}  # type: ignore[union-attr]


def test_a_server_that_fails_is_tried_again_later_and_later(domain: Domain) -> None:
    good = domain.store.load()
    domain.directory.down = True
    waits = []
    for _ in range(5):
        loaded = domain.store.load()
        assert loaded.policy == good.policy
        assert loaded.note == "copy of 2026-01-02 03:04; the directory does not answer: the server does not answer"
        at = domain.seconds
        while not domain.store.changed():
            domain.seconds += 60
        waits.append(round((domain.seconds - at) / 60))
    assert waits == [1, 4, 25, 166, 166]
    domain.directory.down = False
    assert domain.store.load().note == ""


def test_without_a_server_a_start_has_the_copy(domain: Domain) -> None:
    good = domain.store.load()
    domain.directory.down = True
    loaded = domain.another().load()
    assert loaded.policy == good.policy
    assert loaded.note.startswith("copy of 2026-01-02 03:04; the directory does not answer")
    copy = kept(domain.folder)
    assert copy is not None
    assert len(copy.entries) == 10, "what belongs to the policy, and nothing else of the directory"


def test_without_a_server_and_a_copy_a_start_fails(domain: Domain) -> None:
    domain.directory.down = True
    with pytest.raises(DirectoryFailed, match="does not answer"):
        domain.store.load()
    assert not domain.store.changed()


def test_a_copy_that_somebody_changed_is_not_trusted(domain: Domain) -> None:
    domain.store.load()
    domain.directory.down = True
    path = domain.folder / FILE
    text = path.read_text()
    path.write_text(text.replace("ipsecname", "ipsecnome"))
    with pytest.raises(DirectoryFailed, match="its digest is another"):
        domain.another().load()
    path.write_text(text)
    path.chmod(0o644)
    with pytest.raises(DirectoryFailed, match="can be read or written by others"):
        domain.another().load()
    path.chmod(0o600)
    assert domain.another().load().policy.ipsec is not None


def test_when_nothing_is_assigned_any_longer_the_copy_goes(domain: Domain) -> None:
    domain.store.load()
    domain.change("IPSEC", ipsecOwnersReference=None)
    loaded = domain.store.load()
    assert loaded.policy.ipsec is None
    assert [one.why for one in loaded.set_aside] == ["it assigns no IPsec policy"]
    assert kept(domain.folder) is None
    domain.directory.down = True
    with pytest.raises(DirectoryFailed):
        domain.another().load()


def test_a_policy_that_cannot_be_known_is_refused_and_a_start_has_the_copy(domain: Domain) -> None:
    good = domain.store.load()
    domain.change(RULE, ipsecData=b"broken")
    domain.change(SECURE, whenChanged=b"20260101000001.0Z")
    with pytest.raises(PolicyError, match="ipsecData of CN=ipsecNFA"):
        domain.store.load()
    loaded = domain.another().load()
    assert loaded.policy == good.policy
    assert "what the directory has now is refused" in loaded.note


def test_gpos_that_do_not_count_are_told(domain: Domain) -> None:
    other = GPO.replace("{1}", "{2}")
    domain.change("corp", gPLink=f"[LDAP://{GPO};0][LDAP://{other};1]".encode())
    (told,) = domain.store.load().set_aside
    assert (told.what, told.why) == (f'GPO "{other}"', "its link is disabled")
    assert str(told.winner) == 'GPO "IPsec"'


def test_a_copy_that_cannot_be_kept_is_a_warning(domain: Domain) -> None:
    domain.folder.write_text("a file where the folder should be")
    loaded = domain.store.load()
    assert loaded.policy.ipsec is not None
    assert any("cannot be kept" in one.message for one in loaded.findings)
    assert replace(loaded, findings=()) != loaded
    assert issubclass(DirectoryFailed, StoreError)
