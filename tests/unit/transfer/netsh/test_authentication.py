# SPDX-License-Identifier: Apache-2.0
"""Authentication as ``netsh advfirewall`` writes it."""

import pytest

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
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.authentication import first_auth, second_auth
from ringfence.transfer.netsh.session import Session


def test_first() -> None:
    said = {"auth1": "ComputerKerb, computercertecdsap256,computerpsk,anonymous", "auth1psk": "k",
            "auth1ecdsap256ca": "CN=A excludecaname:yes certmapping:no|CN=B catype:intermediate"}  # fmt: skip
    assert first_auth(Session(), said, "Lab") == (
        Kerberos(), Certificate("CN=A", Signing.ECDSA_P256, exclude_ca_name=True),
        Certificate("CN=B", Signing.ECDSA_P256, AuthorityKind.INTERMEDIATE), PskFile("lab.psk"), Anonymous(),
    )  # fmt: skip
    assert first_auth(Session(), {"auth1": "computerntlm"}, "x") == (Ntlm(),)
    assert first_auth(Session(), {}, "x") == ()


def test_second() -> None:
    said = {"auth2": "userkerb,userntlm,usercert,anonymous", "auth2ca": "CN=U"}
    assert second_auth(said) == (UserKerberos(), UserNtlm(), Certificate("CN=U", holder=Holder.USER), Anonymous())
    health = second_auth({"auth2": "computercertecdsap384", "auth2ecdsap384ca": "CN=H"})
    assert health == (Certificate("CN=H", Signing.ECDSA_P384, health=True),)
    assert second_auth({"auth2": "anonymous"}) == ()


def test_criteria() -> None:
    text = (r"CN=\'A, B\' certhash:00 11 certeku:1.2,1.3 certname:db.example certnametype:DNS followrenewal:yes "
            "certcriteriatype:Selection")  # fmt: skip
    (found,) = first_auth(Session(), {"auth1": "computercert", "auth1ca": text, "auth1healthcert": "yes"}, "x")
    assert found == Certificate(
        'CN="A, B" 11', health=True, eku=("1.2", "1.3"), name_kind=NameKind.DNS, name="db.example", hash="00",
        follow_renewal=True, criteria=Criteria.SELECT,
    )  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        {"auth1": "x"}, {"auth1": "computerpsk"}, {"auth1": "computercert"}, {"auth1": "usercert", "auth1ca": "CN=A"},
        {"auth1": "computercert", "auth1ca": " catype:root"}, {"auth1": "computerpsk,computerntlm", "auth1psk": "k"},
    ],
)  # fmt: skip
def test_refused(said: dict[str, str]) -> None:
    with pytest.raises(Refused):
        first_auth(Session(), said, "x")


def test_second_refused() -> None:
    with pytest.raises(Refused):
        second_auth({"auth2": "computerkerb"})
