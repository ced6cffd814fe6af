# SPDX-License-Identifier: Apache-2.0
"""What New-NetIPsecAuthProposal made, as ways to authenticate."""

from collections.abc import Callable

from ringfence.policy.errors import BadWord
from ringfence.policy.terms import (
    Anonymous,
    Auth,
    AuthorityKind,
    Certificate,
    Criteria,
    Holder,
    Kerberos,
    NameKind,
    Ntlm,
    PskFile,
    SecondAuth,
    Signing,
    UserKerberos,
    UserNtlm,
)
from ringfence.transfer.powershell.values import Thing, items_of, text_of

SIGNING = {"RSA": Signing.RSA, "ECDSA256": Signing.ECDSA_P256, "ECDSA384": Signing.ECDSA_P384}
AUTHORITY = {"Root": AuthorityKind.ROOT, "Intermediate": AuthorityKind.INTERMEDIATE}
NAMES = {
    "DomainName": NameKind.DNS, "UserPrincipalName": NameKind.UPN, "EmailAddress": NameKind.EMAIL, "CN": NameKind.CN,
    "OU": NameKind.OU, "O": NameKind.O, "DC": NameKind.DC,
}  # fmt: skip

KeyFile = Callable[[str], PskFile]
Say = Callable[[str], None]
"""Notes that something is carried over otherwise."""


def first_auth(thing: Thing, key_file: KeyFile, say: Say) -> Auth:
    """A proposal of a phase 1 set; raises BadWord."""
    said = thing.values
    if said.get("Anonymous"):
        return Anonymous()
    if said.get("User"):
        raise BadWord("a user authenticates in the second phase only")
    _proxy(thing, say)
    if said.get("Kerberos"):
        return Kerberos()
    if said.get("Ntlm"):
        return Ntlm()
    if "PreSharedKey" in said:
        return key_file(text_of(said["PreSharedKey"]))
    return _certificate(thing, say, Holder.COMPUTER)


def second_auth(thing: Thing, say: Say) -> SecondAuth:
    """A proposal of a phase 2 set; raises BadWord."""
    said = thing.values
    if said.get("Anonymous"):
        return Anonymous()
    _proxy(thing, say)
    if said.get("User"):
        if said.get("Kerberos"):
            return UserKerberos()
        return UserNtlm() if said.get("Ntlm") else _certificate(thing, say, Holder.USER)
    if not said.get("Cert") or not said.get("Health"):
        raise BadWord("a computer authenticates in the second phase by a health certificate only",
                      cure="Say -User, or -Machine -Cert -Health.")  # fmt: skip
    return _certificate(thing, say, Holder.COMPUTER)


def _proxy(thing: Thing, say: Say) -> None:
    if text_of(thing.values.get("Proxy")):
        say("-Proxy: Kerberos asks the domain controllers themselves")


def _certificate(thing: Thing, say: Say, holder: Holder) -> Certificate:
    said = thing.values
    authority = text_of(said.get("Authority"))
    if not said.get("Cert") or not authority:
        raise BadWord("it names no way to authenticate")
    signing, kind = text_of(said.get("Signing", "RSA")), text_of(said.get("AuthorityType", "Root"))
    if signing not in SIGNING or kind not in AUTHORITY:
        raise BadWord("Invalid is no choice")
    name_kind, name = _name(thing)
    eku = tuple(text_of(one) for one in items_of(said.get("ExtendedKeyUsage")))
    hash_ = "".join(text_of(said.get("Thumbprint")).lower().split())
    if hash_ and (len(hash_) not in (40, 64) or set(hash_) - set("0123456789abcdef")):
        raise BadWord("-Thumbprint is none of a certificate")
    renewal = bool(said.get("FollowRenewal"))
    if renewal and not hash_:
        say("-FollowRenewal is for a -Thumbprint, and there is none")
    return Certificate(
        authority,
        signing=SIGNING[signing],
        kind=AUTHORITY[kind],
        holder=holder,
        health=bool(said.get("Health")),
        mapping=bool(said.get("AccountMapping")),
        exclude_ca_name=bool(said.get("ExcludeCAName")),
        eku=eku,
        name_kind=name_kind,
        name=name,
        hash=hash_,
        follow_renewal=renewal and bool(hash_),
        criteria=_criteria(thing) if eku or name or hash_ else Criteria.BOTH,
    )


def _name(thing: Thing) -> tuple[NameKind | None, str]:
    name, kind = text_of(thing.values.get("SubjectName")), text_of(thing.values.get("SubjectNameType", "None"))
    if not name:
        return None, ""
    if kind not in NAMES:
        raise BadWord("-SubjectName is said, and not what kind of name it is", cure="Say -SubjectNameType.")
    return NAMES[kind], name


def _criteria(thing: Thing) -> Criteria:
    select, validate = (bool(thing.values.get(f"{word}Criteria")) for word in ("Selection", "Validation"))
    if select == validate:
        return Criteria.BOTH
    return Criteria.SELECT if select else Criteria.VALIDATE
