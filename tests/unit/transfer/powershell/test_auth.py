# SPDX-License-Identifier: Apache-2.0
"""Authentication proposals."""

import pytest

from ringfence.policy.errors import BadWord
from ringfence.policy.terms import (
    Anonymous,
    AuthorityKind,
    Certificate,
    Criteria,
    Holder,
    Kerberos,
    NameKind,
    Ntlm,
    PskFile,
    Signing,
    UserKerberos,
    UserNtlm,
)
from ringfence.transfer.powershell.auth import first_auth, second_auth
from ringfence.transfer.powershell.machine import Machine
from ringfence.transfer.powershell.parser import Parser
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.values import Thing


def made(words: str) -> Thing:
    machine = Machine(Report("x"))
    machine.run(Parser(f"$p = New-NetIPsecAuthProposal {words}").script())
    found = machine.variables["p"]
    assert isinstance(found, Thing), machine.report.left_out
    return found


def first(words: str) -> object:
    return first_auth(made(words), lambda key: PskFile(f"{key}.psk"), lambda why: None)


def second(words: str) -> object:
    return second_auth(made(words), lambda why: None)


def test_first() -> None:
    assert first("-Machine -Kerberos") == Kerberos()
    assert first("-Machine -NTLM") == Ntlm()
    assert first("-Anonymous") == Anonymous()
    assert first("-Machine -PreSharedKey x") == PskFile("x.psk")
    assert first("-Machine -PSK x") == PskFile("x.psk")
    assert first("-Machine -Cert -Authority 'CN=A'") == Certificate("CN=A")


def test_second() -> None:
    assert second("-User -Kerberos") == UserKerberos()
    assert second("-User -Ntlm") == UserNtlm()
    assert second("-Anonymous") == Anonymous()
    assert second("-User -Cert -Authority 'CN=A'") == Certificate("CN=A", holder=Holder.USER)
    assert second("-Machine -Health -Cert -Authority 'CN=A'") == Certificate("CN=A", health=True)


def test_all_of_a_certificate() -> None:
    words = (
        "-Machine -Cert -Health -Authority 'CN=A' -AuthorityType Intermediate -Signing ECDSA384 -AccountMapping "
        "-ExcludeCAName "
        "-ExtendedKeyUsage 1.2.3, 1.2.4 -SubjectName a.example -SubjectNameType DomainName -Thumbprint "
        "'AB CD 00112233445566778899AABBCCDDEEFF0011' -FollowRenewal -SelectionCriteria"
    )
    assert first(words) == Certificate(
        "CN=A", Signing.ECDSA_P384, AuthorityKind.INTERMEDIATE, Holder.COMPUTER, True, True, True, ("1.2.3", "1.2.4"),
        NameKind.DNS, "a.example", "abcd00112233445566778899aabbccddeeff0011", True, Criteria.SELECT,
    )  # fmt: skip


def test_what_has_no_use_is_said() -> None:
    said: list[str] = []
    first_auth(made("-Machine -Kerberos -Proxy p.example"), lambda key: PskFile(key), said.append)
    found = first_auth(made("-Machine -Cert -Authority A -FollowRenewal"), lambda key: PskFile(key), said.append)
    assert found == Certificate("A")
    assert len(said) == 2
    assert first("-Machine -Cert -Authority A -ValidationCriteria") == Certificate("A")


@pytest.mark.parametrize(
    "words",
    ["-User -Kerberos", "-Machine", "-Machine -Cert", "-Machine -Cert -Authority A -Signing Invalid",
     "-Machine -Cert -Authority A -Thumbprint zz", "-Machine -Cert -Authority A -SubjectName x"],
)  # fmt: skip
def test_what_is_no_first(words: str) -> None:
    with pytest.raises(BadWord):
        first(words)


@pytest.mark.parametrize("words", ["-Machine -Kerberos", "-Machine -Cert -Authority A", "-User"])
def test_what_is_no_second(words: str) -> None:
    with pytest.raises(BadWord):
        second(words)
