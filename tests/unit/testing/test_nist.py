# SPDX-License-Identifier: Apache-2.0
"""The reader of vector files."""

from ringfence.testing.nist import records


def test_what_holds_for_many_and_what_for_one():
    text = """# a comment

[Keylen = 128, Taglen = 64]
[PTlen = 0]

Key = 00ff

Count = 0
CT =
Tag = aa

Count = 1
Tag = bb
FAIL

[PTlen = 8]
Key = 11

Count = 2
Tag = cc"""
    common = {"keylen": "128", "taglen": "64"}
    assert list(records(text.splitlines())) == [
        common | {"ptlen": "0", "key": "00ff", "count": "0", "ct": "", "tag": "aa"},
        common | {"ptlen": "0", "key": "00ff", "count": "1", "tag": "bb", "mark": "FAIL"},
        common | {"ptlen": "8", "key": "11", "count": "2", "tag": "cc"},
    ]
