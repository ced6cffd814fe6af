# SPDX-License-Identifier: Apache-2.0
"""Terms as sets of a script."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_ike_proposal, parse_method
from ringfence.policy.terms import Certificate, Kerberos, MainMode, NameKind, PskFile, UserKerberos
from ringfence.transfer.powershell.write_sets import PLACEHOLDER, Sets, limited, windows_has
from ringfence.transfer.powershell.writing import Left

HOUR = Limits(3600)
HERE = Place("p.toml", 2)


def test_each_set_is_made_once() -> None:
    sets = Sets({"a.psk": "it's\n"}, Left())
    ways = (PskFile("a.psk"), Kerberos())
    assert [sets.first("A", ways, HERE), sets.first("A", ways, HERE), sets.first("B", ways, HERE)] == [
        "$auth1", "$auth1", "$auth2"
    ]  # fmt: skip
    assert sets.second("A", (UserKerberos(),), HERE) == "$second1"
    assert "-PreSharedKey 'it''s'" in sets.lines[0]
    assert len(sets.lines) == 3


def test_default_sets_replace_those_that_are_there() -> None:
    sets = Sets({}, Left())
    assert not sets.cleaning()
    sets.first("A", (Kerberos(),), HERE, default=True)
    assert sets.cleaning() == [
        "Remove-NetIPsecPhase1AuthSet -Name '{E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE3}' -ErrorAction SilentlyContinue"
    ]


def test_what_windows_has_not_is_left_out_of_its_set() -> None:
    left = Left()
    sets = Sets({}, left)
    methods = (parse_method("esp chacha20-poly1305", HOUR), parse_method("esp aes256-gcm", HOUR))
    sets.quick_mode("Q", methods, False, HERE)
    assert [str(one) for one in left.items] == [
        'p.toml:2: "Q": esp chacha20-poly1305: whose chacha20-poly1305 Windows does not have'
    ]
    with pytest.raises(BadWord, match="nothing is left"):
        sets.quick_mode("R", methods[:1], False, HERE)
    with pytest.raises(BadWord, match="group"):
        sets.quick_mode("S", methods, DhGroup.CURVE25519, HERE)


def test_keys() -> None:
    left = Left()
    sets = Sets({"bad.psk": "hex:ff\n"}, left)
    sets.first("A", (PskFile("gone.psk"),), HERE)
    assert PLACEHOLDER in sets.lines[0]
    assert left.items[0].words == "gone.psk"
    with pytest.raises(BadWord):
        sets.first("B", (PskFile("bad.psk"),), HERE)


def test_main_mode() -> None:
    sets = Sets({}, Left())
    mode = MainMode((parse_ike_proposal("aes256-sha384-ecp384"),), 3600, 5, pfs=True, force_dh=True)
    sets.main_mode("M", mode, HERE, "d")
    assert "-MaxMinutes 60 -MaxSessions 1 -ForceDiffieHellman $true" in sets.lines[0].replace("`\n    ", "")
    with pytest.raises(BadWord):
        sets.main_mode("N", MainMode(mode.methods, 90), HERE)
    assert windows_has(mode.methods[0])
    assert not windows_has(parse_ike_proposal("aes256-sha256-x25519"))


def test_certificates() -> None:
    sets = Sets({}, Left())
    sets.first("C", (Certificate("CN=A", eku=("1.2",), name_kind=NameKind.UPN, name="u@x", hash="ab" * 20),), HERE)
    text = sets.lines[0].replace("`\n        ", "")
    for words in ("-ExtendedKeyUsage '1.2'", "-SubjectName 'u@x' -SubjectNameType UserPrincipalName", "-Thumbprint"):
        assert words in text


def test_limited() -> None:
    first, second = limited((parse_method("ah sha1"), parse_method("ah sha1", Limits(60))), HOUR)
    assert (first.limits, second.limits) == (HOUR, Limits(60))
