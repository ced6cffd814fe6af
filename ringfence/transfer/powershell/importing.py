# SPDX-License-Identifier: Apache-2.0
"""A script with the NetSecurity cmdlets as a policy: what a computer would have after it ran, as far as that is known.

The script is followed (``machine``), then the objects that it ended up with are carried over. What Windows has by
default where a script says nothing is written only where it means the same here: authentication by the computer's
account. Windows' default methods are weak ones, so Ringfence's own take their place, and a note says so.
"""

import re

from ringfence.policy.model import Policy
from ringfence.transfer.base import Imported, ImportFailed, KeyFiles, LeftOut, finding
from ringfence.transfer.powershell.filters import filters
from ringfence.transfer.powershell.machine import Machine
from ringfence.transfer.powershell.parser import Parser
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.rules import Rules
from ringfence.transfer.powershell.session import Session
from ringfence.transfer.powershell.settings import settings_of, with_kerberos
from ringfence.transfer.powershell.terms import Gone, Names, Terms
from ringfence.transfer.powershell.values import Kind

LIKE = re.compile(
    r"\b(?:New|Set|Get|Remove|Enable|Disable|Copy|Rename|Show|Find|Open|Save)[-\u2013\u2014]Net(?:IPsec|Firewall|GPO)",
    re.IGNORECASE,
)
CURE = "Such a line is: New-NetIPsecRule -DisplayName 'Lab' -InboundSecurity Require -OutboundSecurity Request"
KERBEROS = "rules without -Phase1AuthSet"
DEFAULT_METHODS = "rules without -QuickModeCryptoSet"


def guess(text: str, _: str) -> int:
    """How many lines of a text name a NetSecurity cmdlet."""
    return sum(LIKE.search(line) is not None for line in text.split("\n"))


def read_script(text: str, name: str) -> Imported:
    """The policy that a script makes; raises ImportFailed for what is none."""
    if not guess(text, name):
        number, line = next(((n, one) for n, one in enumerate(text.split("\n"), 1) if one.strip()), (1, ""))
        what = "this is no script for IPsec: it names no NetSecurity cmdlet."
        raise ImportFailed([finding(name, number, line, (0, len(line.rstrip())), what, cure=CURE)])
    report, keys = Report(name), KeyFiles()
    machine = Machine(report)
    machine.run(Parser(text).script())
    policy = _policy(machine.session, report, keys)
    return Imported(policy, keys.secrets(policy.key_files), _in_order(report.left_out), _in_order(report.notes))


def _policy(session: Session, report: Report, keys: KeyFiles) -> Policy:
    terms = Terms(session, report, keys)
    made = Rules(terms, report, Names())
    rules = made.rules(session.of(Kind.RULE))
    settings = settings_of(session, terms, report)
    _unused(session, terms, report)
    main_modes = made.main_modes(session.of(Kind.MAIN_MODE_RULE))
    blocked = filters(session.of(Kind.FIREWALL_RULE), made.names, report)
    if made.kerberos:
        settings = with_kerberos(settings)
        report.note(0, KERBEROS, "the computer's account proves who it is (Kerberos), as is Windows' default")
    if made.crypto:
        report.note(0, DEFAULT_METHODS, "Ringfence's own methods take the place of Windows' default ones")
    return Policy(
        rules=rules,
        filters=blocked,
        settings=settings,
        main_modes=main_modes,
        auth_sets=terms.auth_sets,
        main_mode_cryptos=terms.main_mode_cryptos,
        quick_mode_cryptos=terms.quick_mode_cryptos,
    )


def _unused(session: Session, terms: Terms, report: Report) -> None:
    """Sets that no connection security rule names are kept, too."""
    seconds = {one.title: one for one in session.of(Kind.PHASE2) if not terms.used(one)}
    for kind in (Kind.PHASE1, Kind.MAIN_MODE_CRYPTO, Kind.QUICK_MODE_CRYPTO):
        for one in session.of(kind):
            if terms.used(one):
                continue
            try:
                if kind is Kind.PHASE1:
                    terms.auth(one, seconds.pop(one.title, None))
                elif kind is Kind.MAIN_MODE_CRYPTO:
                    terms.main_mode(one)
                else:
                    terms.quick_mode(one)
            except Gone as error:
                report.leave(one.line, f'{kind.value} "{one.title}"', str(error))
    for one in seconds.values():
        report.note(one.line, f'{one.kind.value} "{one.title}"', "no rule names it")


def _in_order(found: tuple[LeftOut, ...]) -> tuple[LeftOut, ...]:
    """By their lines; those about the whole script last."""

    def line(one: LeftOut) -> float:
        number = one.place.rpartition(":")[2]
        return int(number) if number.isdigit() else float("inf")

    return tuple(sorted(found, key=line))
