# SPDX-License-Identifier: Apache-2.0
"""Sets of Group Policy objects as named terms."""

import pytest
from unit.transfer.grouppolicy.objects import Values, registry

from ringfence.policy.terms import Kerberos, PskFile, UserKerberos
from ringfence.transfer.base import KeyFiles
from ringfence.transfer.grouppolicy.report import Report
from ringfence.transfer.grouppolicy.sets import SHAPES, SetKind, SetSaid, read_sets
from ringfence.transfer.grouppolicy.terms import Gone, Names, Terms

A, B, Q, M = ("Phase1AuthenticationSets", "Phase2AuthenticationSets", "Phase2CryptoSets", "Phase1CryptoSet")


def terms(values: Values) -> tuple[Terms, Report]:
    keys = KeyFiles()
    report = Report("x.pol", keys)
    return Terms([one for one in read_sets(registry(values)) if isinstance(one, SetSaid)], report, keys), report


def one(found: Terms, kind: SetKind, set_id: str) -> SetSaid:
    said = found.find(kind, set_id)
    assert said is not None
    return said


KERBEROS = {f"{A}\\{{1}}": {"Name": "domain"}, f"{A}\\{{1}}\\0000": {"Method": "MachineKerb"}}
USERS = {f"{B}\\{{2}}": {"Name": "users"}, f"{B}\\{{2}}\\0000": {"Method": "UserKerb"}}
LAB = {
    f"{A}\\{{3}}": {"Name": "lab"},
    f"{A}\\{{3}}\\0000": {"Method": "MachineSHKey", "SHKey": "first key"},
    f"{A}\\{{3}}\\0001": {"Method": "MachineSHKey", "SHKey": "second key"},
}


def test_a_pair_of_phases_is_one_set() -> None:
    found, _ = terms(KERBEROS | USERS)
    first, second = one(found, SetKind.AUTH1, "{1}"), one(found, SetKind.AUTH2, "{2}")
    assert found.auth(first, second) == "domain + users"
    assert found.auth(first, None) == "domain"
    assert found.main_mode_auth(first) == "domain + users"
    assert [(each.first, each.second) for each in found.auth_sets] == [
        ((Kerberos(),), (UserKerberos(),)),
        ((Kerberos(),), ()),
    ]
    assert str(found.auth_sets[0].place) == "gpo"


def test_one_key_and_nothing_behind_it() -> None:
    found, report = terms(LAB | USERS)
    found.auth(one(found, SetKind.AUTH1, "{3}"), one(found, SetKind.AUTH2, "{2}"))
    (made,) = found.auth_sets
    assert made.first == (PskFile("lab.psk"),)
    assert made.second == ()
    assert [left.words for left in report.left_out] == ['more keys of "lab"', 'second authentication of "lab"']


def test_a_set_that_is_not_there() -> None:
    found, _ = terms({})
    assert found.find(SetKind.AUTH1, SHAPES[SetKind.AUTH1].default) is None
    assert found.default(SetKind.AUTH1) is None
    with pytest.raises(Gone, match=r"there is no quick mode crypto set \{1\}"):
        found.find(SetKind.CRYPTO2, "{1}")


def test_a_set_of_which_nothing_is_left() -> None:
    found, report = terms({f"{Q}\\{{1}}": {"Name": "odd"}, f"{Q}\\{{1}}\\0000": {"Protocol": "AH"}})
    for _ in range(2):
        with pytest.raises(Gone, match='quick mode crypto set "odd": nothing of it'):
            found.quick_mode(one(found, SetKind.CRYPTO2, "{1}"))
    found.unused()
    assert [(left.words, left.why) for left in report.left_out] == [
        ('a suite of "odd"', "it names no hash"),
        ('quick mode crypto set "odd"', "nothing of it can be carried over"),
    ]


def test_main_mode_lives_as_long_as_windows_lets_it() -> None:
    suite = {f"{M}\\{{1}}\\0000": {"KeyExchange": "DH2048", "Encryption": "AES-128", "Hash": "SHA1"}}
    found, _ = terms({f"{M}\\{{1}}": {"Name": "long", "TimeOutMinutes": "2881"}, **suite})
    with pytest.raises(Gone, match="lives for 2881 minutes"):
        found.main_mode(one(found, SetKind.CRYPTO1, "{1}"))
    found, _ = terms({f"{M}\\{{1}}": {"Name": "short", "TimeOutMinutes": "60", "DoNotSkipDH": "TRUE"}, **suite})
    assert found.main_mode(one(found, SetKind.CRYPTO1, "{1}")) == "short"
    (made,) = found.main_mode_cryptos
    assert (made.mode.lifetime_s, made.mode.force_dh, made.mode.sessions, made.legacy) == (3600, True, 0, False)


def test_what_is_weak_says_so() -> None:
    found, _ = terms({
        f"{Q}\\{{1}}": {"Name": "old", "PFS": "ReKeyDH2"}, f"{Q}\\{{1}}\\0000": {"Protocol": "ESP", "EspHash": "SHA1"},
    })  # fmt: skip
    found.quick_mode(one(found, SetKind.CRYPTO2, "{1}"))
    assert found.quick_mode_cryptos[0].legacy


def test_what_no_rule_names_is_kept_and_seconds_are_told() -> None:
    found, report = terms(KERBEROS | USERS)
    found.unused()
    assert [each.name for each in found.auth_sets] == ["domain"]
    assert [(note.words, note.why) for note in report.notes] == [
        ('phase 2 authentication set "users"', "no rule names it")
    ]


def test_names_are_given_once_and_are_not_too_long() -> None:
    names = Names()
    assert [names.take("a"), names.take("A"), names.take("a")] == ["a", "A (2)", "a (3)"]
    assert names.take("\0") == "unnamed"
    assert len(names.take("x" * 500)) <= 100
