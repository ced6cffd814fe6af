# SPDX-License-Identifier: Apache-2.0
"""registry.pol against Samba's own codec: what one writes the other reads, value by value, and octet by octet."""

import subprocess
from pathlib import Path

import pytest
from lab.fixtures import unavailable
from unit.transfer.grouppolicy.objects import pol, vector

from ringfence.transfer.grouppolicy.preg import Instruction, Kind, decode, dword, encode, multi_sz, sz

pytestmark = pytest.mark.lab
PYTHON = Path("/usr/bin/python3")
READ = """
import sys, json
from samba.dcerpc import preg
from samba.ndr import ndr_unpack, ndr_pack
file = ndr_unpack(preg.file, sys.stdin.buffer.read())
assert file.header.signature == "PReg" and file.header.version == 1, file.header.version
sys.stderr.write(json.dumps([[e.keyname, e.valuename, e.type, e.size] for e in file.entries]))
sys.stdout.buffer.write(ndr_pack(file))
"""
WRITE = """
import sys
from samba.dcerpc import preg, misc
from samba.ndr import ndr_pack
def entry(key, value, kind, data):
    e = preg.entry()
    e.keyname, e.valuename, e.type, e.data = key, value, kind, data
    return e
file = preg.file()
file.header.signature, file.header.version = "PReg", 1
entries = [
    entry("Software\\\\A", "text", misc.REG_SZ, "v2.10|Name=\u00e9|"),
    entry("Software\\\\A", "number", misc.REG_DWORD, 4294967295),
    entry("Software\\\\A", "big", misc.REG_QWORD, 1 << 40),
    entry("Software\\\\A", "octets", misc.REG_BINARY, b"\\x00\\x5d\\x00\\x3b"),
    entry("Software\\\\A", "**del.gone", misc.REG_SZ, " "),
]
file.num_entries, file.entries = len(entries), entries
sys.stdout.buffer.write(ndr_pack(file))
"""


def samba(script: str, octets: bytes = b"") -> tuple[bytes, str]:
    """What a script of Samba's own interpreter gives."""
    if (
        not PYTHON.exists()
        or subprocess.run([PYTHON, "-c", "import samba.dcerpc.preg"], capture_output=True).returncode
    ):
        unavailable("Samba's Python bindings are not installed")
    done = subprocess.run([PYTHON, "-c", script], input=octets, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout, done.stderr.decode()


def test_samba_reads_what_we_write() -> None:
    mixed = [
        dword("Software\\A", "n", 7), multi_sz("Software\\A", "m", ["a", "b"]), sz("Software\\A", "**del.x", " "),
        Instruction("Software\\A", "b", Kind.BINARY, b"\x00;]\x00"),
        Instruction("Software\\A", "q", Kind.QWORD, bytes(8)),
    ]  # fmt: skip
    for said in (vector("specification"), vector("domain-isolation"), mixed):
        octets = encode(said)
        again, seen = samba(READ, octets)
        assert again == octets
        for one in said:
            assert f'"{one.value}"' in seen.replace("\\\\", "\\")


def test_we_read_what_samba_writes() -> None:
    octets, _ = samba(WRITE)
    found = {one.value: one for one in decode(octets)}
    assert found["text"].text == "v2.10|Name=é|"
    assert found["number"].number == 0xFFFFFFFF
    assert found["big"].number == 1 << 40
    assert found["octets"].data == b"\x00\x5d\x00\x3b"
    assert found["**del.gone"].text == " "
    assert encode(decode(octets)) == octets
    assert decode(pol("specification")) == tuple(vector("specification"))
