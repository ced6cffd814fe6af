# SPDX-License-Identifier: Apache-2.0
"""Group Policy objects for the fuzzers: what is read of one, and small ones to begin with."""

from ringfence.policy.document import parse
from ringfence.policy.write import canonical
from ringfence.transfer.base import ImportFailed
from ringfence.transfer.grouppolicy.importing import read_file
from ringfence.transfer.grouppolicy.preg import Instruction, decode, dword, encode, sz
from ringfence.transfer.grouppolicy.sets import BASE, SHAPES, SetKind
from ringfence.wire import DecodeError

AUTH, CRYPTO = SHAPES[SetKind.AUTH1].default, SHAPES[SetKind.CRYPTO2].default

FIREWALL = "v2.0|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=1|Name=f|"


def registry_pol(data: bytes) -> None:
    """The octets of a file: refused with an offset, or read, and then a document says all that was read."""
    try:
        found = decode(data)
    except DecodeError as error:
        assert 0 <= error.offset <= len(data)  # noqa: PT017
        return
    if all(len(one.data) < 65536 and "\0" not in one.key + one.value for one in found):
        assert decode(encode(found)) == found
    try:
        imported = read_file(data, "x.pol")
    except ImportFailed:
        return
    assert parse(canonical(imported.policy), name="x") == imported.policy


def small_objects() -> dict[str, bytes]:
    """One for each kind of thing that an object says."""
    rule = f"v2.0|Action=Secure|Active=TRUE|Name=n|Auth1Set={AUTH}|Crypto2Set={CRYPTO}|EP2_4=10.0.0.1|"
    key = f"{BASE}\\Phase1AuthenticationSets\\1"
    said: dict[str, list[Instruction]] = {
        "rule": [sz(f"{BASE}\\ConSecRules", "1", rule)],
        "main-mode": [sz(f"{BASE}\\MainModeRules", "1", "v2.8|Active=TRUE|Name=m|Crypto1Set=1|EP2_6=::1|")],
        "firewall": [
            sz(f"{BASE}\\FirewallRules", "1", "v2.0|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=1|Name=f|")
        ],
        "set": [sz(key, "Name", "s"), sz(f"{key}\\0000", "Method", "MachineKerb")],
        "global": [dword(BASE, "SAIdlTime", 300), dword(f"{BASE}\\DomainProfile", "AllowLocalIPsecPolicyMerge", 0)],
        "directives": [sz(f"{BASE}", "**delvals.", " "), sz(f"{BASE}", "**DeleteKeys", "a;b"), Instruction(BASE)],
    }
    return {name: encode(instructions) for name, instructions in said.items()}
