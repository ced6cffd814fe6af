# SPDX-License-Identifier: Apache-2.0
"""First and second authentication as ``netsh advfirewall`` has them."""

from collections.abc import Iterable

from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.terms import (
    Anonymous,
    Auth,
    AuthorityKind,
    Certificate,
    Criteria,
    Eap,
    Holder,
    Kerberos,
    NameKind,
    Ntlm,
    PskFile,
    PublicKeys,
    SecondAuth,
    Signing,
    UserKerberos,
    UserNtlm,
)
from ringfence.transfer.netsh.authentication import SIGNINGS
from ringfence.transfer.netsh.writing import Script, quote, yes_no

Words = list[tuple[str, str]]
SUFFIXES = {signing: word for word, signing in SIGNINGS.items()}
CRITERIA = {Criteria.BOTH: "both", Criteria.SELECT: "selection", Criteria.VALIDATE: "validation"}
NAMES = {one: one.value.upper() for one in NameKind} | {NameKind.EMAIL: "RFC822"}


NO_EAP = "Windows lets nobody in by EAP in its connection security rules"
NO_PUBLIC_KEYS = "Windows knows no public keys without certificates"


def first_words(auth: Iterable[Auth], place: Place, what: str, script: Script) -> Words:
    """``auth1`` and what belongs to it; raises BadWord."""
    words: Words = []
    methods: dict[str, None] = {}
    certificates: dict[Signing, list[Certificate]] = {}
    for one in auth:
        match one:
            case Kerberos():
                methods["computerkerb"] = None
            case Ntlm():
                methods["computerntlm"] = None
            case Anonymous():
                methods["anonymous"] = None
            case PskFile(file):
                methods["computerpsk"] = None
                words.append(("auth1psk", script.key(file, place)))
            case Certificate():
                methods[f"computercert{_suffix(one)}"] = None
                certificates.setdefault(one.signing, []).append(one)
            case Eap() | PublicKeys():
                script.leave_out(place, f"{one} of {what}", NO_EAP if isinstance(one, Eap) else NO_PUBLIC_KEYS)
    if not methods:
        raise BadWord("it says no first authentication")
    for signing, ones in certificates.items():
        words.append((f"auth1{SUFFIXES[signing]}ca", _authorities(ones, place, what, script)))
        words += [(f"auth1{SUFFIXES[signing]}healthcert", "yes")] if ones[0].health else []
    return [("auth1", ",".join(methods)), *words]


def second_words(auth: Iterable[SecondAuth], place: Place, what: str, script: Script) -> Words:
    """``auth2`` and what belongs to it; raises BadWord."""
    words: Words = []
    methods: dict[str, None] = {}
    certificates: dict[Signing, list[Certificate]] = {}
    for one in auth:
        match one:
            case UserKerberos():
                methods["userkerb"] = None
            case UserNtlm():
                methods["userntlm"] = None
            case Anonymous():
                methods["anonymous"] = None
            case Certificate():
                holder = "user" if one.holder is Holder.USER else "computer"
                methods[f"{holder}cert{_suffix(one)}"] = None
                certificates.setdefault(one.signing, []).append(one)
            case Eap():
                raise BadWord(f"its second authentication is by {one}, which Windows does not have there")
    for signing, ones in certificates.items():
        words.append((f"auth2{SUFFIXES[signing]}ca", _authorities(ones, place, what, script)))
    return [("auth2", ",".join(methods)), *words] if methods else []


def _suffix(one: Certificate) -> str:
    if one.signing not in SUFFIXES:
        raise BadWord(f"Windows has no certificates with keys of kind {one.signing.value} here")
    return SUFFIXES[one.signing]


def _authorities(ones: Iterable[Certificate], place: Place, what: str, script: Script) -> str:
    texts = []
    for one in ones:
        authority = one.authority.replace('"', "\\'")
        if "|" in authority:
            script.leave_out(place, f"{one} of {what}", 'netsh takes "|" for the end of a name')
        texts.append(" ".join([authority, *_options(one)]))
    return quote(" | ".join(texts))


def _options(one: Certificate) -> Iterable[str]:
    if one.mapping:
        yield f"certmapping:{yes_no(True)}"
    if one.exclude_ca_name:
        yield f"excludecaname:{yes_no(True)}"
    if one.kind is AuthorityKind.INTERMEDIATE:
        yield "catype:intermediate"
    if one.hash:
        yield f"certhash:{one.hash}"
    if one.follow_renewal:
        yield "followrenewal:yes"
    if one.eku:
        yield f"certeku:{','.join(one.eku)}"
    if one.name and one.name_kind is not None:
        yield f"certname:{one.name}"
        yield f"certnametype:{NAMES[one.name_kind]}"
    if one.criteria is not Criteria.BOTH:
        yield f"certcriteriatype:{CRITERIA[one.criteria]}"
