# SPDX-License-Identifier: Apache-2.0
"""What Group Policy objects say, as a store beside others."""

from pathlib import Path

import pytest
from unit.transfer.grouppolicy.objects import instructions, pol

from ringfence.policy.compile import compile_policy
from ringfence.policy.errors import PolicyError, Severity
from ringfence.policy.host import HostFacts
from ringfence.policy.model import PskFile
from ringfence.policy.resultant import GROUP_POLICY, LOCAL
from ringfence.stores.errors import StoreError
from ringfence.stores.file import FileStore
from ringfence.stores.grouppolicy.store import GroupPolicyStore, open_folder
from ringfence.stores.several import Stores
from ringfence.transfer.grouppolicy.importing import Source
from ringfence.transfer.grouppolicy.preg import encode
from ringfence.transfer.grouppolicy.settings import IPSEC_MERGE, PROFILES

EXEMPT = "v2.0|Action=DoNotSecure|Active=TRUE|Name={}|EP2_4={}|"


class Given:
    """Objects that a test gives."""

    name = "the domain"

    def __init__(self, *sources: Source) -> None:
        self.sources = sources

    def read(self) -> tuple[Source, ...]:
        return self.sources

    def changed(self) -> bool:
        return False


def source(name: str, values: dict[str, dict[str, str | int]]) -> Source:
    return Source(name, encode(instructions(values)))


LOW = source("All computers", {"ConSecRules": {"{1}": EXEMPT.format("one", "10.0.0.1"),
                                               "{2}": EXEMPT.format("two", "10.0.0.2")}})  # fmt: skip
HIGH = source("Servers", {"ConSecRules": {"{1}": EXEMPT.format("strict", "10.0.0.3")}})


def test_rules_come_together_and_keep_their_object() -> None:
    loaded = GroupPolicyStore(Given(LOW, HIGH), store="group-policy").load()
    assert {one.name: one.place.told for one in loaded.policy.rules} == {
        "strict": "Servers (group-policy store)",
        "two": "All computers (group-policy store)",
    }
    (aside,) = loaded.set_aside
    assert str(aside) == (
        'rule "one" All computers: the Group Policy object "Servers" has precedence (Servers)'
    )  # fmt: skip
    assert loaded.document_name == "the domain"


def test_keys_are_in_no_file_of_another_store() -> None:
    loaded = GroupPolicyStore(Given(Source("Lab", pol("domain-isolation")))).load()
    (lab,) = [one for one in loaded.policy.auth_sets if one.name == "Lab key"]
    assert lab.first == (PskFile("registry.pol:lab-key.psk"),)
    assert loaded.keys["registry.pol:lab-key.psk"].reveal() == b"a key of the lab"
    assert "a key of the lab" not in repr(loaded)
    keyless = GroupPolicyStore(Given(Source("Lab", pol("domain-isolation"))), keyless=True).load()
    assert keyless.keys["registry.pol:lab-key.psk"].reveal() != b"a key of the lab"


def test_one_wrong_rule_is_a_warning_with_its_object() -> None:
    loaded = GroupPolicyStore(Given(Source("Lab", pol("domain-isolation"))), store=GROUP_POLICY).load()
    found = [one for one in loaded.findings if one.rule == 'rule "broken"']
    assert [one.severity for one in found] == [Severity.WARNING]
    assert found[0].place.store == GROUP_POLICY
    assert str(found[0].place).startswith("Lab:ConSecRules\\")
    assert len(loaded.policy.rules) == 5


def test_an_object_that_cannot_be_read_fails_the_whole_store() -> None:
    with pytest.raises(StoreError, match="cannot be read: no ") as caught:
        GroupPolicyStore(Given(LOW, Source("Servers", HIGH.octets[:-1]))).load()
    assert caught.value.place == "Servers"


def test_what_it_says_can_be_carried_out() -> None:
    loaded = GroupPolicyStore(Given(LOW, HIGH)).load()
    compiled = compile_policy(loaded.policy, HostFacts((b"\x0a\0\0\x09",)), loaded.keys)
    assert {entry.origin.place.document for entry in compiled.spd} >= {"Servers", "All computers"}


def beside(tmp_path: Path, *sources: Source) -> Stores:
    (tmp_path / "policy.toml").write_text('[[rule]]\nname = "mine"\nwith = "10.9.9.9"\nsecure = "none"\n')
    own = FileStore(tmp_path / "policy.toml", store=LOCAL)
    return Stores({LOCAL: own, GROUP_POLICY: GroupPolicyStore(Given(*sources), store=GROUP_POLICY)})


def test_it_has_precedence_over_the_computers_own(tmp_path: Path) -> None:
    same = source("Servers", {"ConSecRules": {"{1}": EXEMPT.format("mine", "10.0.0.3")}})
    loaded = beside(tmp_path, LOW, same).load()
    assert [(one.name, one.place.store) for one in loaded.policy.rules] == [
        ("mine", GROUP_POLICY), ("two", GROUP_POLICY)
    ]  # fmt: skip
    assert {one.what: str(one.winner) for one in loaded.set_aside} == {
        'rule "mine"': "Servers",
        'rule "one"': "Servers",
    }
    assert [one.name for one in loaded.stores] == [GROUP_POLICY, LOCAL]


def test_rules_of_the_computer_itself_may_be_forbidden(tmp_path: Path) -> None:
    strict = source("Servers", {profile: {IPSEC_MERGE: 0} for profile in PROFILES})
    loaded = beside(tmp_path, LOW, strict).load()
    assert [one.name for one in loaded.policy.rules] == ["one", "two"]
    (aside,) = loaded.set_aside
    assert (aside.what, str(aside.winner)) == ('rule "mine"', "Servers")
    assert "local-rules = false" in aside.why


def test_a_folder_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "10-all" / "Machine" / "registry.pol"
    file.parent.mkdir(parents=True)
    file.write_bytes(LOW.octets)
    store = open_folder(tmp_path)
    assert store.changed()
    assert len(store.load().policy.rules) == 2
    assert not store.changed()
    file.write_bytes(HIGH.octets + b"")
    assert store.changed()
    assert [one.name for one in store.load().policy.rules] == ["strict"]
    other = tmp_path / "20-more" / "Machine" / "registry.pol"
    other.parent.mkdir(parents=True)
    other.write_bytes(LOW.octets)
    assert store.changed()
    assert [one.name for one in store.load().policy.rules] == ["one", "two"]
    file.unlink()
    other.unlink()
    assert store.changed()
    with pytest.raises((StoreError, PolicyError)):
        store.load()
