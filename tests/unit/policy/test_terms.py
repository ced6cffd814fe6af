# SPDX-License-Identifier: Apache-2.0
"""The values themselves; what a document says of them is tried in test_auth and test_sets."""

from ringfence.policy.terms import Access, Certificate, Holder, Ntlm, UserKerberos, UserNtlm


def test_words() -> None:
    assert list(map(str, (Ntlm(), UserKerberos(), UserNtlm()))) == ["ntlm", "user-kerberos", "user-ntlm"]
    assert str(Certificate("CN=A", holder=Holder.USER)) == "user certificate CN=A"


def test_nobody_is_false() -> None:
    assert not Access()
    assert Access(("a",))
    assert Access((), ("u",))
