# SPDX-License-Identifier: Apache-2.0
"""ipsec.conf of Libreswan or strongSwan, with or without ipsec.secrets behind it, as a policy."""

import re

from ringfence.policy.errors import BadWord
from ringfence.transfer.base import Imported, ImportFailed, KeyFiles, finding
from ringfence.transfer.ipsecconf.conns import Reader
from ringfence.transfer.ipsecconf.sides import check, is_strongswan
from ringfence.transfer.ipsecconf.syntax import CURE, Files, Key, key_value, parse
from ringfence.transfer.ipsecconf.words import USERS
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl.importing import assemble
from ringfence.transfer.swanctl.keys import Secret, parse_identity, parse_key
from ringfence.transfer.swanctl.proof import key_texts

LIKE = re.compile(
    r"(?:conn|config|ca)\s+\S+\s*$|\s+(?:left|right|also|auto|authby|keyexchange|ike|esp|phase2|ikev2|type|dpd)\w*\s*="
    r"|.*:\s*(?:PSK|RSA|XAUTH|EAP)\s"
)
KINDS = dict.fromkeys(("XAUTH", "EAP", "NTLM"), USERS)
STORE = "certificates have their own store"
IDLE = ("charondebug", "uniqueids", "logfile", "protostack", "virtual_private", "dumpdir", "plutodebug", "cachecrls")


def guess(text: str, _: str) -> int:
    """How many lines of a text look like ipsec.conf or ipsec.secrets."""
    return sum(LIKE.match(line) is not None for line in text.split("\n"))


def read_conf(text: str, name: str, me: str = "") -> Imported:
    """The policy of a file; ``me``: this computer's address or side. Raises ImportFailed, and BadWord for ``me``."""
    own = check(me)
    files = parse(text, name)
    if not files.sections and not files.keys:
        number, line = next(((n, one) for n, one in enumerate(text.split("\n"), 1) if one.strip()), (1, ""))
        what = "this is no ipsec.conf: it has no connections."
        raise ImportFailed([finding(name, number, line, (0, len(line.rstrip())), what, cure=CURE)])
    report, keys = Report(name), KeyFiles()
    for value in files.missing:
        report.leave(value.line, f"also={value.text}", "there is no connection of that name")
    for value in files.includes:
        cure = "Put the files into one, ipsec.secrets behind ipsec.conf, and import that."
        report.leave(value.line, f"include {value.text}", "only this one file is read", cure)
    _others(files, report)
    secrets = tuple(one for key in files.keys for one in _secret(key, report))
    reader = Reader(secrets, keys, report, own, is_strongswan(files))
    named = {value.text for section in files.sections for value in section.also}
    drafts = []
    for conn in files.conns():
        template = conn.name in named and not ("auto" in conn.values and {"left", "right"} & set(conn.values))
        drafts += [] if template else [*reader.read(conn)]
    policy = assemble(drafts, report)
    return Imported(policy, key_texts(keys, policy.key_files), report.left_out, report.notes)


def _others(files: Files, report: Report) -> None:
    """Sections that are no connections."""
    for section in files.sections:
        if section.kind == "ca":
            report.leave(section.line, f"ca {section.name}", "authorities belong into the store of certificates")
        for key, value in section.values.items() if section.kind == "config" else ():
            said = f"config {section.name}, {key}={value.text}"
            if key in IDLE or key.startswith(("ikev1_", "log", "ddos", "audit")):
                report.note(value.line, said, "Ringfence settles it by itself")
            else:
                report.leave(value.line, said, "it is about the program itself")


def _secret(key: Key, report: Report) -> list[Secret]:
    words = f"{' '.join(key.ids)} : {key.kind}".strip()
    if key.kind != "PSK":
        report.leave(key.line, words, KINDS.get(key.kind, STORE))
        return []
    report.keys.add(key.text)
    try:
        text = key_value(key.text)
        report.keys.add(text)
        found = parse_key(text)
        ids = [parse_identity(one) for one in key.ids]
    except BadWord as error:
        report.leave(key.line, words, error.why.removeprefix("but "), error.cure)
        return []
    return [Secret("", key.line, tuple(one for one in ids if one is not None), found)]
