# SPDX-License-Identifier: Apache-2.0
import json
import subprocess

from ringfence.backends.nfnetlink import attribute, attributes, dump

GET_TABLE = 10 << 8 | 1


def test_attributes_are_padded_and_found_again() -> None:
    octets = attribute(1, b"abc") + attribute(0x8002, attribute(3, b"d"))
    assert octets.startswith(b"\x07\x00\x01\x00abc\x00")
    found = attributes(octets)
    assert found[1] == b"abc"
    assert attributes(found[2]) == {3: b"d"}
    assert attributes(octets[:3]) == {}
    assert attributes(b"\0\0\1\0" * 2) == {1: b""}, "one that claims to be empty ends"


def test_the_program_says_the_same() -> None:
    told = subprocess.run(["nft", "-j", "list", "tables"], capture_output=True, text=True, check=False)
    tables = [] if told.returncode else [one["table"]["name"] for one in json.loads(told.stdout)["nftables"][1:]]
    assert [one[1].rstrip(b"\0").decode() for one in dump(GET_TABLE)] == tables
