# SPDX-License-Identifier: Apache-2.0
"""What a rule asks for that this version cannot do yet.

Such a rule may be written, checked, explained and compared; carrying it out is refused, by its name, rather than done
otherwise than it says. Where a rule leaves a choice, what can be done is taken, and a warning tells what was left.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ringfence.policy.model import KeyModule, Rule
from ringfence.policy.terms import Anonymous, PskFile

KEY_CURE = 'Authenticate by a preshared key: auth = { psk-file = "FILE" }.'


class Unable(NamedTuple):
    """Something that a rule asks for in vain."""

    what: str
    """Continues the rule's name."""
    cure: str = ""
    setting: str = ""


def unable(rule: Rule) -> Iterator[Unable]:
    """Why ``rule``, with all its terms, cannot be carried out now."""
    if rule.secure.exempt:
        return
    if rule.auth and not any(isinstance(one, PskFile) for one in rule.auth):
        later = " or ".join(map(str, rule.auth))
        yield Unable(f"authenticates by {later} only, which needs a later version", KEY_CURE, "auth")
    if rule.second_auth and not any(isinstance(one, Anonymous) for one in rule.second_auth):
        later = " or ".join(map(str, rule.second_auth))
        yield Unable(
            f"authenticates a second time by {later}, which needs a later version",
            'Leave it out, or make it optional by "anonymous" in its list.', "second-auth",
        )  # fmt: skip
    if rule.keying and KeyModule.IKEV1 not in rule.keying:
        later = " or ".join(one.value for one in rule.keying)
        yield Unable(f"negotiates by {later} only, which needs a later version", "Leave keying out.", "keying")
    if rule.gateways is not None and rule.gateways.remote is None:
        yield Unable("ends at any gateway, which needs a later version",
                     'Name the other gateway: remote = { gateway = "198.51.100.7" }.', "remote")  # fmt: skip


def without(rule: Rule) -> Iterator[str]:
    """What ``rule`` leaves a choice about, and is done without; each continues the rule's name."""
    keys = any(isinstance(one, PskFile) for one in rule.auth)
    for one in dict.fromkeys(str(auth) for auth in rule.auth if keys and not isinstance(auth, PskFile)):
        yield f"names {one}, which needs a later version; its preshared key is used"
    if any(isinstance(one, Anonymous) for one in rule.second_auth):
        yield "asks for a second authentication where it can be had, which needs a later version; there is none"
    if not all(method.encapsulate for method in rule.protect):
        yield "names null encapsulation, which needs a later version; its other methods are offered"
