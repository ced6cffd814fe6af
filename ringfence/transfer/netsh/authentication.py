# SPDX-License-Identifier: Apache-2.0
"""First and second authentication as ``netsh advfirewall`` writes them.

``auth1=computercert,computerpsk`` names the ways in order of preference; what a way needs stands in arguments of its
own: ``auth1psk``, ``auth1ca="CN=A catype:root | CN=B"``, ``auth1healthcert``, and likewise for ECDSA.
"""

import re

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
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.session import Session

OPTION = re.compile(
    r"\s+(certmapping|certmap|excludecaname|catype|certhash|followrenewal|certeku|certname|certnametype|"
    r"certcriteriatype):(\"[^\"]*\"|\S*)",
    re.IGNORECASE,
)
SIGNINGS = {"": Signing.RSA, "ecdsap256": Signing.ECDSA_P256, "ecdsap384": Signing.ECDSA_P384}
NAMES = {"dns": NameKind.DNS, "upn": NameKind.UPN, "rfc822": NameKind.EMAIL, "email": NameKind.EMAIL,
         **{one.value: one for one in NameKind}}  # fmt: skip
CRITERIA = {"both": Criteria.BOTH, "selection": Criteria.SELECT, "validation": Criteria.VALIDATE}
CERT = re.compile(r"(computer|user)cert(ecdsap256|ecdsap384)?")
OPTIONAL = "anonymous"


def first_auth(session: Session, said: dict[str, str], subject: str) -> tuple[Auth, ...]:
    """The ways of ``auth1``; raises Refused."""
    found: list[Auth] = []
    words = _words(said, "auth1")
    for word in words:
        if word == "computerkerb":
            found.append(Kerberos())
        elif word == "computerntlm":
            found.append(Ntlm())
        elif word == OPTIONAL:
            found.append(Anonymous())
        elif word == "computerpsk":
            if not said.get("auth1psk"):
                raise Refused("it authenticates by a preshared key and names none", "Say auth1psk=.")
            found.append(session.keys.file_for(said["auth1psk"], subject))
        elif (match := CERT.fullmatch(word)) and match[1] == "computer":
            found += _certificates(said, "auth1", match[2] or "", Holder.COMPUTER)
        else:
            raise Refused(f'"{word}" is no first authentication')
    if any(isinstance(one, PskFile) for one in found) and Ntlm() in found:
        raise Refused("a preshared key and NTLM cannot both be in auth1, and netsh refuses it")
    return tuple(dict.fromkeys(found))


def second_auth(said: dict[str, str]) -> tuple[SecondAuth, ...]:
    """The ways of ``auth2``; raises Refused."""
    found: list[SecondAuth] = []
    for word in _words(said, "auth2"):
        if word == "userkerb":
            found.append(UserKerberos())
        elif word == "userntlm":
            found.append(UserNtlm())
        elif word == OPTIONAL:
            found.append(Anonymous())
        elif match := CERT.fullmatch(word):
            holder = Holder.USER if match[1] == "user" else Holder.COMPUTER
            found += _certificates(said, "auth2", match[2] or "", holder)
        else:
            raise Refused(f'"{word}" is no second authentication')
    if all(isinstance(one, Anonymous) for one in found):
        return ()
    return tuple(dict.fromkeys(found))


def _words(said: dict[str, str], tag: str) -> list[str]:
    return [word.strip().lower() for word in said.get(tag, "").split(",") if word.strip()]


def _certificates(said: dict[str, str], tag: str, signing: str, holder: Holder) -> list[Certificate]:
    text = said.get(f"{tag}{signing}ca", "")
    health = said.get(f"{tag}{signing}healthcert", "no").lower().startswith("y")
    if tag == "auth2" and holder is Holder.COMPUTER:
        health = True
    parts = [part.strip() for part in text.split("|") if part.strip()]
    if not parts:
        raise Refused(f"it authenticates by a certificate and names no authority, {tag}{signing}ca")
    return [_certificate(part, SIGNINGS[signing], holder, health=health) for part in parts]


def _certificate(text: str, signing: Signing, holder: Holder, *, health: bool) -> Certificate:
    options = {match[1].lower(): match[2].strip('"') for match in OPTION.finditer(f" {text}")}
    authority = OPTION.sub("", f" {text}").strip().replace("\\'", '"')
    if not authority:
        raise Refused("a certificate names no authority")
    thumbprint = re.sub(r"[^0-9a-f]", "", options.get("certhash", "").lower())
    name = options.get("certname", "")
    eku = tuple(one for one in options.get("certeku", "").split(",") if one)
    kind = NAMES.get(options.get("certnametype", "").lower())
    if name and kind is None:
        raise Refused("certname needs certnametype, one that netsh knows", f"They are {', '.join(NAMES)}.")
    selects = bool(thumbprint or name or eku)
    return Certificate(
        authority,
        signing,
        AuthorityKind.INTERMEDIATE if options.get("catype", "root").startswith("i") else AuthorityKind.ROOT,
        holder,
        health,
        mapping=options.get("certmapping", options.get("certmap", "no")).startswith("y"),
        exclude_ca_name=options.get("excludecaname", "no").startswith("y"),
        eku=eku,
        name_kind=kind if name else None,
        name=name,
        hash=thumbprint,
        follow_renewal=bool(thumbprint) and options.get("followrenewal", "no").startswith("y"),
        criteria=CRITERIA.get(options.get("certcriteriatype", "both").lower(), Criteria.BOTH)
        if selects
        else Criteria.BOTH,
    )
