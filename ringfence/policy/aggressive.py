# SPDX-License-Identifier: Apache-2.0
"""What to say of rules that speak IKEv1's aggressive mode: whom it shows, and what it gives away of a key."""

from collections.abc import Iterator

from ringfence.policy.errors import Finding
from ringfence.policy.model import KeyModule, Rule
from ringfence.policy.terms import PskFile
from ringfence.policy.validate import warning

SHOWN = "speaks aggressive mode: both sides say in clear who they are"
GUESSED = "and whoever asks gets what tells, without asking again, which guess at the preshared key is right"
SETTING = "main-mode.aggressive"
KEY_CURE = "Use main mode or IKEv2; if the other side cannot, certificates, or a key of 20 random characters or more."
OTHER_CURE = "Use main mode or IKEv2 if the other side can."


def aggressive_findings(rule: Rule) -> Iterator[Finding]:
    """Warnings about a rule."""
    mode = rule.main_mode
    if mode is None or not mode.aggressive or (rule.keying and KeyModule.IKEV1 not in rule.keying):
        return
    if any(isinstance(one, PskFile) for one in rule.auth):
        yield warning(rule, f"{SHOWN}, {GUESSED}", setting=SETTING, cure=KEY_CURE)
    else:
        yield warning(rule, SHOWN, setting=SETTING, cure=OTHER_CURE)
    first, *others = dict.fromkeys(str(each).rsplit("-", 1)[-1] for each in mode.methods)
    if others:
        what = f"speaks aggressive mode, which offers one group only: {first}, and not {' or '.join(others)}"
        cure = f"Name methods with {first} only, or put those with another group first."
        yield warning(rule, what, setting="main-mode.methods", cure=cure)
