# SPDX-License-Identifier: Apache-2.0
"""The formats that a policy may come in or go out in."""

from ringfence.transfer.base import Format
from ringfence.transfer.grouppolicy import importing as grouppolicy
from ringfence.transfer.grouppolicy.exporting import write_file
from ringfence.transfer.grouppolicy.merging import merge
from ringfence.transfer.ipsecconf import importing as ipsecconf
from ringfence.transfer.netsh import exporting as netsh_export
from ringfence.transfer.netsh import importing as netsh
from ringfence.transfer.powershell import importing as powershell
from ringfence.transfer.powershell.exporting import write_script
from ringfence.transfer.swanctl import importing as swanctl
from ringfence.transfer.swanctl.exporting import write_conf

FORMATS: tuple[Format, ...] = (
    Format("netsh", "netsh script", netsh.guess, netsh.read_script, netsh_export.write_script),
    Format("powershell", "PowerShell script", powershell.guess, powershell.read_script, write_script),
    Format("swanctl", "swanctl.conf", swanctl.guess, swanctl.read_conf, write_conf, swanctl.read_conf),
    Format(
        "registry.pol",
        "registry.pol of Group Policy",
        grouppolicy.guess,
        None,
        write_file,
        read_octets=grouppolicy.read_file,
        merge=merge,
    ),
    Format("ipsec-conf", "ipsec.conf", ipsecconf.guess, ipsecconf.read_conf, None, ipsecconf.read_conf),
)


def named(name: str) -> Format | None:
    """The format of that name."""
    return next((one for one in FORMATS if one.name == name.lower()), None)


def guess(text: str, file: str) -> Format | None:
    """The format that most lines of ``text`` look like; None where none do."""
    votes = [(one.guess(text, file), one) for one in FORMATS if one.readable]
    most = max((number for number, _ in votes), default=0)
    return next((one for number, one in votes if number == most), None) if most else None
