# SPDX-License-Identifier: Apache-2.0
"""swanctl.conf as a policy: each child of each connection becomes a rule, and shunts become filters.

Only the text is read: certificates and other files that it names are not at hand. Keys come from its ``secrets``. A
file may as well be the other side's: with this computer's address it is read from the side that has it.
"""

import re

from ringfence.net.address import AddressRange
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Filter, Policy, Rule
from ringfence.policy.pools import AddressPool
from ringfence.transfer.base import Imported, ImportFailed, KeyFiles, finding
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl.building import Draft, build
from ringfence.transfer.swanctl.connections import Reader
from ringfence.transfer.swanctl.keys import Secret, parse_identity, parse_key
from ringfence.transfer.swanctl.pools import Pools
from ringfence.transfer.swanctl.proof import key_texts
from ringfence.transfer.swanctl.syntax import Section, parse
from ringfence.transfer.swanctl.words import SECRETS, SECTIONS

LIKE = re.compile(
    r"\s*(?:(?:connections|secrets|pools|authorities|children)\b[^=]*\{|(?:local|remote)[-\w]*\s*\{"
    r"|(?:local_addrs|remote_addrs|local_ts|remote_ts|esp_proposals|ah_proposals|proposals|start_action|rekey_time"
    r"|reauth_time|life_time|dpd_delay|mobike|version|cacerts)\s*=)"
)
CURE = "Such a file begins: connections { lab { remote_addrs = 192.0.2.1 } }"


def guess(text: str, _: str) -> int:
    """How many lines of a text look like swanctl.conf."""
    return sum(LIKE.match(line) is not None for line in text.split("\n"))


def read_conf(text: str, name: str, me: str = "") -> Imported:
    """The policy of a file; ``me``: this computer's address. Raises ImportFailed, and BadWord for a wrong ``me``."""
    top = parse(text, name)
    if not {"connections", "secrets", "authorities", "pools"} & set(top.top.sections):
        number, line = next(((n, one) for n, one in enumerate(text.split("\n"), 1) if one.strip()), (1, ""))
        what = "this is no swanctl.conf: it has no connections."
        raise ImportFailed([finding(name, number, line, (0, len(line.rstrip())), what, cure=CURE)])
    report, keys = Report(name), KeyFiles()
    for include in top.includes:
        report.leave(include.line, f"include {include.text}", "only this one file is read", "Import that file, too.")
    secrets = tuple(_secrets(top.top.within("secrets"), report))
    pools = Pools.of(top.top)
    drafts = [*Reader(secrets, keys, report, own_address(me), pools).connections(top.top)]
    policy = assemble(drafts, report, tuple(pools.made.values()))
    for unused in pools.unused():
        report.leave(unused.line, f"pool {unused.name}", "no connection that is carried over gives addresses of it")
    for section, why in SECTIONS.items():
        for inner in top.top.within(section).sections.values():
            report.leave(inner.line, f"{section} {inner.name}", why)
    return Imported(policy, key_texts(keys, policy.key_files), report.left_out, report.notes)


def own_address(text: str) -> AddressRange | None:
    """This computer's address; None where none is said. Raises BadWord."""
    try:
        return AddressRange.parse(text) if text else None
    except ValueError as error:
        raise BadWord(f'"{text}", which is no address', cure="Such as 192.0.2.1.") from error


def assemble(drafts: list[Draft], report: Report, pools: tuple[AddressPool, ...] = ()) -> Policy:
    """The rules and filters of all that was read, each with a name of its own."""
    rules: list[Rule] = []
    filters: list[Filter] = []
    names: set[str] = set()
    for draft in drafts:
        try:
            made = [*build(draft, report)]
        except BadWord as error:
            report.leave(draft.line, draft.words, error.why.removeprefix("but "), error.cure)
            continue
        for one in made:
            if one.name in names:
                report.leave(draft.line, draft.words, "another one has its name already", "Rename it.")
                continue
            names.add(one.name)
            if isinstance(one, Rule):
                rules.append(one)
            else:
                filters.append(one)
    used = {rule.gateways.pool for rule in rules if rule.gateways is not None}
    return Policy(rules=tuple(rules), filters=tuple(filters), pools=tuple(one for one in pools if one.name in used))


def _secrets(section: Section, report: Report) -> list[Secret]:
    found: list[Secret] = []
    for inner in section.sections.values():
        kind = next((kind for kind in SECRETS if inner.name.startswith(kind)), "")
        if kind:
            report.leave(inner.line, f"secret {inner.name}", SECRETS[kind])
            continue
        text = inner.text("secret")
        report.keys.add(text)
        try:
            key = parse_key(text)
            ids = [parse_identity(value.text) for name, value in inner.values.items() if name.startswith("id")]
        except BadWord as error:
            report.leave(inner.line, f"secret {inner.name}", error.why.removeprefix("but "), error.cure)
            continue
        suffix = inner.name.removeprefix("ike").lstrip("-_")
        subject = "" if suffix.isdigit() else suffix
        found.append(Secret(subject, inner.line, tuple(one for one in ids if one is not None), key))
    return found
