# SPDX-License-Identifier: Apache-2.0
"""A policy as a script for ``netsh -f``: an IPsec policy in ``ipsec static``, the rest in ``advfirewall``.

What netsh cannot say is left out by name, and a rule that it cannot say as it is meant is left out whole.
"""

from collections.abc import Mapping

from ringfence.policy.model import Policy
from ringfence.transfer.base import Exported
from ringfence.transfer.netsh.boot import write_boot
from ringfence.transfer.netsh.write_ipsec import write_ipsec
from ringfence.transfer.netsh.write_rules import write_rules
from ringfence.transfer.netsh.writing import Script

HEAD = ("# Made by ringfence policy export. To use it on Windows: netsh -f FILE",)


def write_script(policy: Policy, secrets: Mapping[str, str]) -> Exported:
    """The script, which holds preshared keys."""
    script = Script(secrets)
    write_ipsec(policy, script)
    write_rules(policy, script)
    write_boot(policy.boot, script)
    return Exported("\n".join([*HEAD, *script.lines, ""]), tuple(script.left_out))
