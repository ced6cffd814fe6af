# SPDX-License-Identifier: Apache-2.0
"""Policies as Group Policy objects, and back."""

import pytest
from unit.transfer.grouppolicy.objects import pol

from ringfence.policy.document import parse
from ringfence.policy.model import Policy, Rule
from ringfence.policy.settle import Settler, Terms
from ringfence.policy.write import canonical
from ringfence.transfer.base import Exported
from ringfence.transfer.grouppolicy.exporting import write_file
from ringfence.transfer.grouppolicy.importing import read_file
from ringfence.transfer.grouppolicy.preg import decode
from ringfence.transfer.grouppolicy.sets import SHAPES, SetKind

LAB = {"lab.psk": "a key of the lab\n"}
RULE = """
[[rule]]
name = "lab"
with = "10.77.0.0/24"
secure = "require"
"""


def policy(text: str) -> Policy:
    return parse(text, name="p.toml")


def octets(made: Exported) -> bytes:
    assert made.octets is not None
    return made.octets


def values(made: Exported) -> dict[str, str]:
    """The texts that are written, by their names."""
    return {f"{one.key.rpartition(chr(92))[2]}.{one.value}": one.text or "" for one in decode(octets(made))}


def rules_in(made: Exported) -> list[str]:
    return [one.text or "" for one in decode(octets(made)) if one.key.endswith(("ConSecRules", "MainModeRules"))]


def terms(found: Policy) -> list[Terms]:
    settler = Settler(found)
    return [settler.terms(one) for one in found.rules]


@pytest.mark.parametrize("name", ["specification", "domain-isolation"])
def test_what_is_written_parses_equal(name: str) -> None:
    first = read_file(pol(name), "gpo.pol")
    made = write_file(first.policy, first.secrets)
    assert made.left_out == ()
    again = read_file(octets(made), "gpo.pol")
    assert again.policy == first.policy
    assert canonical(again.policy) == canonical(first.policy)
    assert dict(again.secrets) == dict(first.secrets)
    assert again.left_out == ()
    assert octets(write_file(again.policy, again.secrets)) == octets(made)


def test_ringfences_own_defaults_are_said_and_read_back_as_nothing() -> None:
    said = policy('[global]\nauth = "kerberos"\n' + RULE)
    made = write_file(said, {})
    (rule,) = rules_in(made)
    assert f"Crypto2Set={SHAPES[SetKind.CRYPTO2].default}|" in rule
    assert f"Phase2CryptoSets.{SHAPES[SetKind.CRYPTO2].default}" in values(made)
    again = read_file(octets(made), "x.pol").policy
    assert not again.settings.quick_mode_crypto
    assert not again.settings.main_mode_crypto
    assert terms(again) == terms(said)


def test_what_a_rule_says_itself_becomes_sets_of_its_own() -> None:
    said = policy(
        RULE
        + """\
auth = { psk-file = "lab.psk" }
protect = "esp aes128-sha256"
pfs = "modp2048"
lifetime = "30 min"
main-mode = { methods = ["aes256-sha384-ecp384"], lifetime = "2 h" }
"""
    )
    made = write_file(said, LAB)
    assert made.left_out == ()
    again = read_file(octets(made), "x.pol")
    mine, theirs = terms(said)[0], terms(again.policy)[0]
    assert (mine.protect, mine.lifetime, mine.pfs) == (theirs.protect, theirs.lifetime, theirs.pfs)
    assert again.secrets == {"lab.psk": "a key of the lab\n"}
    (rule,) = again.policy.main_modes
    (crypto,) = [one for one in again.policy.main_mode_cryptos if one.name == rule.main_mode_crypto]
    assert crypto.mode.lifetime_s == 7200


def test_a_key_that_is_not_at_hand_is_never_replaced_by_another() -> None:
    made = write_file(policy(RULE + 'auth = { psk-file = "lab.psk" }\n'), {})
    assert [one.words for one in made.left_out] == ['"lab": preshared key lab.psk', 'rule "lab"']
    assert not rules_in(made)
    assert not any(name.endswith("SHKey") for name in values(made))


@pytest.mark.parametrize(
    ("text", "words", "why"),
    [
        (
            RULE + 'auth = "kerberos"\nppk = { id = "x", file = "x.ppk" }\nkeying = "ikev2"\n',
            'rule "lab", ppk',
            "no postquantum",
        ),
        (RULE + 'auth = "kerberos"\nprofiles = "domain"\ninterfaces = "dev eth0"\n', 'rule "lab"', "other names"),
        (RULE.replace("10.77.0.0/24", "host.example") + 'auth = "kerberos"\n', 'rule "lab"', "is a name"),
        (RULE + 'auth = "kerberos"\nallow = { computers = "db.example" }\n', 'rule "lab"', "by their SIDs"),
        (RULE.replace('"lab"', '"all"') + 'auth = "kerberos"\n', 'rule "all"', "takes All for every rule"),
        (RULE.replace('"lab"', '"a|b"') + 'auth = "kerberos"\n', 'rule "a|b"', "cannot say"),
        ('[profile]\ndomain = { networks = ["10.0.0.0/8"] }\n', "profile", "by itself"),
        ('[boot]\nmode = "block"\n', "boot", "at boot"),
        ("[global]\nfragmentation = false\n", "fragmentation", "no such setting"),
    ],
)
def test_what_windows_cannot_have_is_named(text: str, words: str, why: str) -> None:
    made = write_file(policy(text), {})
    found = [one for one in made.left_out if one.words == words]
    assert found, made.left_out
    assert why in found[0].why


def test_an_ipsec_policy_of_the_snap_in_is_written_as_the_rules_it_comes_to() -> None:
    made = write_file(policy('[policy]\nbased-on = "Server (Request Security)"\nauth = "kerberos"\n'), {})
    assert any("Action=" in rule for rule in rules_in(made))


def test_a_default_second_phase_is_named() -> None:
    said = policy('[global]\nauth = "kerberos"\nsecond-auth = "user-kerberos"\n' + RULE)
    made = write_file(said, {})
    (rule,) = rules_in(made)
    assert f"Auth2Set={SHAPES[SetKind.AUTH2].default}|" in rule
    assert terms(read_file(octets(made), "x.pol").policy)[0].second_auth == terms(said)[0].second_auth


def test_a_set_that_no_rule_names_is_written() -> None:
    said = policy(
        '[auth-set.spare]\nfirst = "ntlm"\nsecond = "user-ntlm"\n[quick-mode-crypto.spare]\nprotect = "ah sha256"\n'
    )
    made = write_file(said, {})
    assert [one.words for one in made.left_out] == ['auth set "spare", second']
    again = read_file(octets(made), "x.pol").policy
    assert [one.name for one in again.auth_sets] == ["spare"]
    assert [one.name for one in again.quick_mode_cryptos] == ["spare"]


def test_tunnels_of_every_form() -> None:
    text = """
[[rule]]
name = "{name}"
local = {{ networks = "10.1.0.0/16"{local} }}
remote = {{ networks = "10.2.0.0/16"{remote} }}
auth = "kerberos"
"""
    both = text.format(name="both", local=', gateway = "192.0.2.1"', remote=', gateway = "198.51.100.7"')
    client = text.format(name="client", local="", remote=', gateway = "2001:db8::1"')
    gateway = text.format(name="gateway", local=', gateway = "192.0.2.1"', remote=', gateway = "any"')
    said = policy(both + client + gateway)
    again = read_file(octets(write_file(said, {})), "x.pol").policy

    def ends(found: tuple[Rule, ...]) -> list[object]:
        return [(one.name, one.local, one.remote, one.gateways) for one in found]

    assert ends(again.rules) == ends(said.rules)
