# SPDX-License-Identifier: Apache-2.0
"""IPsec policies in real directories: OpenLDAP with Active Directory's schema, and a Samba domain controller."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from uuid import uuid4

import pytest
from lab.directories import missing, run, running
from lab.fixtures import unavailable

from ringfence.policy.document import parse
from ringfence.secret import Secret
from ringfence.stores.directory.changes import Add, Replace, changes, deletion
from ringfence.stores.directory.connection import Directory, Scope, Server, connected
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.grouppolicy import EXTENSION, pointer
from ringfence.stores.directory.objects import CONTAINER, Catalogue, Class, Entry, broken, key
from ringfence.stores.directory.reading import read_policy
from ringfence.stores.directory.store import DirectoryStore, Membership
from ringfence.stores.directory.writing import write_policy

pytestmark = pytest.mark.lab
BASE = "DC=corp,DC=example"
POLICY = """\
[policy]
name = "Lab"
legacy = true
auth = { psk-file = "lab.psk" }
main-mode = { methods = ["3des-sha1-modp2048"] }
[[policy.rule]]
filter-list = "lab"
filter-action = "Require Lab"
[[policy.rule]]
filter-list = "All ICMP Traffic"
filter-action = "Permit"
[filter-list.lab]
filters = ["me <-> 10.77.0.0/24", "me tcp <-> 2001:db8::/32"]
[filter-list."All ICMP Traffic"]
filters = ["me icmp <-> any"]
[filter-action."Require Lab"]
negotiate = ["esp 3des-sha1 every 1 h or 100 MB"]
legacy = true
"""
KEYS = {"lab.psk": Secret(b"a key of the lab")}


def folder() -> "TemporaryDirectory[str]":
    """Short, since servers make Unix sockets in it."""
    return TemporaryDirectory(prefix="rf-", dir="/tmp")


@pytest.fixture(scope="module")
def openldap() -> Iterator[Server]:
    if reason := missing("slapd", "slapadd", "openssl"):
        unavailable(reason)
    with folder() as name:
        path = Path(name)
        port = 20_000 + os.getpid() % 20_000
        with running("openldap", path / "ldap", "--port", str(port)) as said:
            (path / "password").write_text(said["LDAP_PASSWORD"])
            yield Server(
                f"ldaps://localhost:{port + 1}", user=said["LDAP_ADMIN"], password_file=path / "password",
                authorities=path / "ldap/cert.pem",
            )  # fmt: skip


@pytest.fixture(scope="module")
def samba() -> Iterator[tuple[Server, Server]]:
    """The administrator's way to it, and the computer account's."""
    if not os.environ.get("RINGFENCE_FULL"):
        pytest.skip("a domain controller takes ten seconds to make: make interop")
    if reason := missing("samba", "samba-tool", "kinit", "nsenter"):
        unavailable(reason)
    with folder() as name, running("ad-domain", path := Path(name) / "dc") as said:
        keytab = run("ad-domain", "host", path, "alice")
        (path / "password").write_text(said["AD_PASSWORD"])
        old = {one: os.environ.get(one) for one in ("KRB5_CONFIG", "KRB5CCNAME", "KRB5_CLIENT_KTNAME")}
        os.environ |= {"KRB5_CONFIG": said["KRB5_CONFIG"], "KRB5CCNAME": f"MEMORY:{uuid4()}"}
        yield (
            Server(
                f"ldaps://{said['AD_ADDRESS']}", user=f"{said['AD_ADMIN']}@{said['AD_REALM']}",
                password_file=path / "password", authorities=path / "tls/cert.pem",
            ),
            Server(f"ldap://{said['AD_ADDRESS']}", keytab=Path(keytab)),
        )  # fmt: skip
        for one, value in old.items():
            os.environ.pop(one, None)
            if value is not None:
                os.environ[one] = value


def held(directory: Directory) -> list[Entry]:
    return directory.search(f"{CONTAINER},{BASE}", Scope.ONE)


def life_of_a_policy(directory: Directory) -> None:
    """It is written, read, changed and deleted; what was there before is there again."""
    before = held(directory)
    assert {one.text("ipsecName") for one in Catalogue(before).of_class(Class.POLICY)} >= {
        "Client (Respond Only)", "Server (Request Security)", "Secure Server (Require Security)",
    }  # fmt: skip
    policy = parse(POLICY, name="policy.toml")
    assert policy.ipsec is not None
    made = write_policy(policy, policy.ipsec, KEYS, f"{CONTAINER},{BASE}", before, fresh)
    directory.carry_out(changes(before, made.policy, made.entries))
    after = held(directory)
    assert list(broken(Catalogue(after))) == []
    back = read_policy(made.policy.dn, after)
    assert back.policy.ipsec is not None
    lists = {one.name: one.filters for one in back.policy.filter_lists}
    assert lists == {one.name: one.filters for one in policy.filter_lists}
    assert {secret.reveal() for secret in back.keys.values()} == {b"a key of the lab"}

    filters = tuple(replace(one, filters=one.filters[:1]) for one in back.policy.filter_lists)
    changed = replace(back.policy, filter_lists=filters)
    again = write_policy(changed, back.policy.ipsec, back.keys, f"{CONTAINER},{BASE}", after, fresh)
    todo = changes(after, again.policy, again.entries)
    assert len(todo) == 2, "the list, and the policy's own object for its time of change"
    directory.carry_out(todo)
    short = read_policy(made.policy.dn, held(directory))
    assert [len(one.filters) for one in short.policy.filter_lists] == [1, 1]

    directory.carry_out(deletion(held(directory), made.policy.dn))
    left = {key(one.dn): one for one in held(directory)}
    assert list(broken(Catalogue(left.values()))) == []
    for one in before:
        now = left[key(one.dn)]
        assert {name: sorted(values) for name, values in now.values.items() if name in TOLD} == {
            name: sorted(values) for name, values in one.values.items() if name in TOLD
        }
    assert not [
        one for one in left.values() if one.is_a(Class.NFA) and one.text("ipsecID") in made.policy.text("ipsecID")
    ]


TOLD = {"ipsecname", "ipsecdata", "ipsecdatatype", "ipsecownersreference", "ipsecnfareference", "description"}


def fresh() -> str:
    return f"{{{uuid4()}}}".upper()


def test_openldap_holds_policies_as_active_directory_does(openldap: Server) -> None:
    with connected(openldap) as directory:
        life_of_a_policy(directory)
        assert directory.search(f"CN=nobody,{BASE}", Scope.BASE) == []


def test_a_server_whose_certificate_nobody_vouches_for_is_not_believed(openldap: Server) -> None:
    with pytest.raises(DirectoryFailed, match="does not do its part"), connected(replace(openldap, authorities=None)):
        pytest.fail("it is believed")
    named = replace(openldap, uri=openldap.uri.replace("localhost", "127.0.0.2"))
    with pytest.raises(DirectoryFailed), connected(named):
        pytest.fail("it is believed by another name")


def test_a_wrong_password_is_told(openldap: Server, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong")
    wrong = replace(openldap, password_file=tmp_path / "password")
    with pytest.raises(DirectoryFailed, match="account or its password"), connected(wrong):
        pytest.fail("it is let in")


def test_samba_holds_policies_and_a_computer_reads_them_signed_and_sealed(samba: tuple[Server, Server]) -> None:
    administrator, computer = samba
    with connected(administrator) as directory:
        life_of_a_policy(directory)
    with connected(computer) as directory:
        entries = held(directory)
        assert len(Catalogue(entries).of_class(Class.POLICY)) == 3
        secure = next(one for one in entries if one.text("ipsecName") == "Secure Server (Require Security)")
        assert read_policy(secure.dn, entries).policy.ipsec is not None
        with pytest.raises(DirectoryFailed, match="may not do that"):
            directory.carry_out(deletion(entries, secure.dn))


def assign(directory: Directory, policy: Entry) -> None:
    """A GPO at the domain assigns the policy; every computer of the domain may apply it."""
    guid = fresh()
    dn = f"CN={guid},CN=Policies,CN=System,{BASE}"
    kinds = {"objectclass": (b"groupPolicyContainer",), "displayname": (b"IPsec for all",)}
    numbers = {"flags": (b"0",), "versionnumber": (b"1",), "gpcfunctionalityversion": (b"2",)}
    directory.carry_out([
        Add(dn, {**kinds, **numbers, "gpcmachineextensionnames": (f"[{EXTENSION}]".encode(),)}),
        *(Add(f"{one},{dn}", {"objectclass": (b"container",)}) for one in (
            "CN=Machine", "CN=Microsoft,CN=Machine", "CN=Windows,CN=Microsoft,CN=Machine",
        )),
        Add(pointer(dn), {"objectclass": (b"ipsecPolicy",)}),
        Replace(pointer(dn), {"ipsecownersreference": (policy.dn.encode(),), "ipsecname": (b"Client",)}),
    ])  # fmt: skip
    (domain,) = directory.search(BASE, Scope.BASE, attributes=("gPLink",))
    link = f"{domain.text('gPLink').strip()}[LDAP://{dn};0]"
    directory.carry_out([Replace(BASE, {"gplink": (link.encode(),)})])


def test_a_computer_of_a_domain_follows_what_is_assigned_to_it(samba: tuple[Server, Server], tmp_path: Path) -> None:
    administrator, computer = samba
    with connected(administrator) as directory:
        client = next(one for one in held(directory) if one.text("ipsecName") == "Client (Respond Only)")
        store = DirectoryStore(
            Membership(computer, "ALICE$"), "directory.toml", tmp_path, addresses=lambda: ["10.99.0.254"]
        )
        nothing = store.load()
        assert nothing.policy.ipsec is None
        assert [one.why for one in nothing.set_aside if "Default Domain Policy" in one.what]
        assign(directory, client)
    loaded = store.load()
    assert loaded.policy.ipsec is not None
    assert loaded.policy.ipsec.title == "Client (Respond Only)"
    assert all(one.why for one in loaded.set_aside)
    gone = replace(computer, uri="ldap://127.0.0.1:9")
    again = DirectoryStore(Membership(gone, "ALICE$"), "directory.toml", tmp_path).load()
    assert again.policy == loaded.policy
    assert again.note.startswith("copy of ")


def test_whoever_asks_a_domain_controller_for_the_policys_object_sees_any_change(samba: tuple[Server, Server]) -> None:
    administrator, computer = samba
    with connected(administrator) as directory:
        before = held(directory)
        secure = next(one for one in before if one.text("ipsecName") == "Secure Server (Require Security)")
        found = read_policy(secure.dn, before)
        assert found.policy.ipsec is not None
        actions = tuple(
            replace(one, methods=one.methods[:1]) if one.name == "Require Security" else one
            for one in found.policy.filter_actions
        )
        sleep(1.1)  # times of change are in seconds
        policy = replace(found.policy, filter_actions=actions)
        made = write_policy(policy, found.policy.ipsec, {}, f"{CONTAINER},{BASE}", before, fresh)
        directory.carry_out(changes(before, made.policy, made.entries))
    with connected(computer) as directory:
        (now,) = directory.search(secure.dn, Scope.BASE, attributes=("whenChanged",))
    assert now.text("whenChanged") > secure.text("whenChanged")
