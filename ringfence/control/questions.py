# SPDX-License-Identifier: Apache-2.0
"""What is said of documents that nobody follows yet: answers of commands that need no service."""

from enum import Enum

from ringfence.control.messages import Entry, Message, SetAsideView, StoreView


class Checked(Message):
    """What a document would mean on this computer."""

    document: str
    correct: bool
    rules: int = 0
    settings: str = ""
    """As in ``PolicyView``."""
    entries: list[Entry] = []
    boot: str = ""
    """As in ``PolicyView``."""
    findings: list[str] = []
    """Errors or warnings, each with its place and its cure."""
    refused: list[str] = []
    """Rules and filters that this version cannot carry out, so that it would not be applied."""
    elsewhere: list[str] = []
    """As in ``PolicyView``."""


class KeyAnswer(Message):
    """A public key in the forms that others want it in."""

    file: str
    kind: str
    """As policies call it: ``rsa``, ``ecdsa-p256``."""
    fingerprint: str
    """``sha256:`` and the hexadecimal digits of that hash of the SubjectPublicKeyInfo."""
    pem: str
    base64: str
    """The SubjectPublicKeyInfo, behind ``0s``."""
    dns: str = ""
    """An RSA key as RFC 3110 has it, behind ``0s``; empty for another kind."""
    openssh: str = ""


class When(Enum):
    """When a packet is on its way that is asked about."""

    NOW = "now"
    BOOT = "boot"
    """Before the service is up."""


class BootAnswer(Message):
    """What holds until the service is up."""

    holds: str
    """``document``; ``kept``: what was carried out last; ``shut``: nothing passes; ``nothing``: there never was a
    policy; ``service``: it is up, and nothing was changed."""
    document: str = ""
    mode: str = ""
    """``permit``, ``block`` or ``stateful``; empty unless the document holds."""
    shut: list[str] = []
    """What shuts something whatever the mode: each rule and filter with its place."""
    problem: str = ""
    """Why it is not what the document says."""
    ruleset: str = ""
    """The input of ``nft -f``, where it is only shown."""


class FateCount(Message):
    """Conversations that a rule treats alike."""

    fate: str
    """``block``, ``require`` (protected or lost), ``request`` (protected or in clear) or ``permit``."""
    flows: int
    peers: int
    rule: str = ""
    """Empty where no rule is about them."""
    place: str = ""
    """Its document and line."""


class ServiceFate(Message):
    """What becomes of a service."""

    service: str
    """Such as ``10.0.0.9:1433 tcp``; ``(here)`` marks one of this computer."""
    fate: str
    was: str = ""
    """Under the policy that it is compared with."""
    flows: int
    peers: list[str]
    rule: str = ""
    place: str = ""


class WhatIfAnswer(Message):
    """What a policy would do to conversations that were seen."""

    policy: str
    against: str = ""
    flows: int
    by_rule: list[FateCount]
    """The strictest first."""
    services: list[ServiceFate]
    """The strictest first; the same service more than once where its conversations fare differently."""
    lost: list[str]
    """Services with conversations that pass today, and would be blocked."""
    unknown: list[str]
    """Peers that would be lost unless they have IPsec, of whom nothing shows that they have."""


class LintFinding(Message):
    """One thing worth a second look."""

    place: str
    """File and line."""
    severity: str
    """``error``: the document cannot be applied; ``warning``: it can, but perhaps does not do what was meant."""
    rule: str = ""
    setting: str = ""
    what: str
    """The reason, in one sentence."""
    excerpt: str = ""
    cure: str = ""
    text: str
    """All of it, as people read it."""


class LintAnswer(Message):
    """Everything worth a second look in a document."""

    document: str
    findings: list[LintFinding]


class SettingChange(Message):
    """A setting with another value, in TOML."""

    name: str
    was: str
    """Empty where it was not there."""
    now: str
    """Likewise."""


class StatementChange(Message):
    """A rule, filter, list or action that is not as it was."""

    kind: str
    """``added``, ``removed``, ``changed`` or ``renamed``."""
    what: str
    """Such as ``rule "lab is isolated"``."""
    place: str
    settings: list[SettingChange]


class DiffAnswer(Message):
    """How two documents differ."""

    old: str
    new: str
    same: bool
    """Whether they say the same, and mean the same on the computer that is asked about."""
    statements: list[StatementChange]
    summary: str
    """What would change on that computer, in one line."""
    lines: list[str]
    """The same, entry by entry."""


class ResultantAnswer(Message):
    """What several stores amount to."""

    stores: list[StoreView]
    """The highest first."""
    set_aside: list[SetAsideView]
    settings: str
    """What holds, as in ``PolicyView``."""


class JoinStep(Message):
    """One thing that has to be right to follow a domain."""

    name: str
    """``keytab``, ``server``, ``clock``, ``account``, ``assignment``, ``policy``, ``references``."""
    fine: bool
    what: str
    """What was found, or what is wrong."""
    cure: str = ""
    """What to do."""


class JoinAnswer(Message):
    """Whether this computer could follow its domain's policy."""

    steps: list[JoinStep]
    """As far as they go: one that all others need ends them."""
