# SPDX-License-Identifier: Apache-2.0
"""What to say of pools of addresses, and of rules that give them: whom nobody can be, and what does not come back."""

from collections.abc import Iterator

from ringfence.net.address import AddressRange
from ringfence.policy.errors import Finding, Severity
from ringfence.policy.lower import statements
from ringfence.policy.model import Policy, Rule
from ringfence.policy.pools import AddressPool
from ringfence.policy.terms import Certificate, PskFile, PublicKeys
from ringfence.policy.validate import warning

NOBODY = "lets in only who calls himself by the address that he comes from, and road warriors seldom do"
NOBODY_CURE = 'Name them: allow = { computers = ["*.corp.example"] }.'


def pool_findings(policy: Policy) -> Iterator[Finding]:
    """Warnings about a policy."""
    pools, used = {one.name: one for one in policy.pools}, set[str]()
    for rule in statements(policy):
        if not isinstance(rule, Rule) or rule.gateways is None or rule.gateways.pool not in pools:
            continue
        used.add(rule.gateways.pool)
        if rule.enabled:
            yield from _rule(rule, pools[rule.gateways.pool])
    for name, pool in pools.items():
        if name not in used:
            subject, what = f'pool "{name}"', "is not used: no rule gives addresses of it"
            cure = f'Name it in a tunnel: remote = {{ gateway = "any", pool = "{name}" }}.'
            yield Finding(f"{subject} {what}.", pool.place, subject, cure=cure, severity=Severity.WARNING)


def _rule(rule: Rule, pool: AddressPool) -> Iterator[Finding]:
    plain = all(isinstance(one, PskFile | PublicKeys | Certificate) for one in rule.auth)
    if plain and rule.remote_identity is None and not rule.allow and not rule.authorize:
        yield warning(rule, NOBODY, setting="allow", cure=NOBODY_CURE)
    for network in rule.local:
        inside = next(
            (one for one in pool.ranges if isinstance(network, AddressRange) and one.intersect(network)), None
        )
        if inside is not None and network != AddressRange.everything(len(inside.first)):
            what = f"gives addresses of {inside}, which its own network {network} holds: answers look for them there"
            yield warning(rule, what, setting="remote.pool", cure="Give addresses that nobody has.")
