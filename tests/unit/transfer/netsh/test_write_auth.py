# SPDX-License-Identifier: Apache-2.0
"""Authentication in the words of netsh."""

import pytest

from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.terms import (
    Anonymous,
    Certificate,
    Criteria,
    Holder,
    Kerberos,
    NameKind,
    PskFile,
    Signing,
    UserNtlm,
)
from ringfence.transfer.netsh.write_auth import first_words, second_words
from ringfence.transfer.netsh.writing import Script

HERE = Place("p.toml", 1)


def test_first() -> None:
    script = Script({"k.psk": "a b\n"})
    words = first_words(
        (
            Kerberos(),
            PskFile("k.psk"),
            Certificate("CN=A", health=True),
            Certificate("CN=B", health=True, mapping=True),
        ),
        HERE,
        "it",
        script,
    )
    assert words == [
        ("auth1", "computerkerb,computerpsk,computercert"),
        ("auth1psk", '"a b"'),
        ("auth1ca", '"CN=A | CN=B certmapping:yes"'),
        ("auth1healthcert", "yes"),
    ]
    with pytest.raises(BadWord):
        first_words((), HERE, "it", script)
    with pytest.raises(BadWord, match="ed25519"):
        first_words((Certificate("CN=A", Signing.ED25519),), HERE, "it", script)


def test_second() -> None:
    script = Script({})
    one = Certificate(
        'CN="x|y"',
        Signing.ECDSA_P384,
        holder=Holder.USER,
        eku=("1.2",),
        name="a@b.c",
        name_kind=NameKind.EMAIL,
        criteria=Criteria.VALIDATE,
    )
    assert second_words((UserNtlm(), one, Anonymous()), HERE, "it", script) == [
        ("auth2", "userntlm,usercertecdsap384,anonymous"),
        (
            "auth2ecdsap384ca",
            "\"CN=\\'x|y\\' certeku:1.2 certname:a@b.c certnametype:RFC822 certcriteriatype:validation\"",
        ),
    ]
    assert 'takes "|"' in script.left_out[0].why
    assert second_words((), HERE, "it", script) == []
