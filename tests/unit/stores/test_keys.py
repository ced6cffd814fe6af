# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from ringfence.policy.document import parse_documents
from ringfence.policy.errors import PolicyError
from ringfence.policy.source import Source
from ringfence.secret import Secret
from ringfence.stores.errors import StoreError
from ringfence.stores.keys import read_key, read_keys

RULES = """
[[rule]]
name = "a"
auth = { psk-file = "a.psk" }

[[rule]]
name = "b"
auth = [
    { psk-file = "b.psk" },
]
"""


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"abc", b"abc"),
        (b"abc\r\n", b"abc"),
        (b"abc\n\n", b"abc\n"),
        (b" abc ", b" abc "),
        (b"hex:00ff10\n", b"\x00\xff\x10"),
        (b"base64:AP8Q\n", b"\x00\xff\x10"),
    ],
)
def test_forms_of_a_key(tmp_path: Path, content: bytes, key: bytes) -> None:
    (tmp_path / "k").write_bytes(content)
    assert read_key(tmp_path / "k") == Secret(key)


@pytest.mark.parametrize("content", [b"", b"\n", b"hex:0", b"hex:", b"base64:!", b"x" * 5000])
def test_what_is_no_key(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(StoreError) as caught:
        read_key(tmp_path / "k")
    assert str(tmp_path / "k") in str(caught.value)


def test_a_missing_key_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        read_key(tmp_path / "lab.psk")
    assert f"base64 > {tmp_path / 'lab.psk'}" in caught.value.cure


def test_a_pipe_is_no_key_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "k")
    with pytest.raises(StoreError, match="the key file is no file"):
        read_key(tmp_path / "k")


def test_every_key_file_that_is_none_is_told_where_it_is_named(tmp_path: Path) -> None:
    source = Source.read(RULES, name="p.toml")
    policy = parse_documents([source])
    files = {name: tmp_path / name for name in policy.key_files}
    files["b.psk"].write_text("hex:0")
    with pytest.raises(PolicyError) as caught:
        read_keys(policy, [source], files)
    first, second = (str(one).splitlines() for one in caught.value.findings)
    assert first[0] == 'p.toml:4: rule "a": the key file "a.psk" cannot be read: No such file or directory.'
    assert first[2] == "     |                      ^^^^^"
    assert second[0] == 'p.toml:8: rule "b": the key file "b.psk" begins with hex: but what follows is not hex.'
    assert "hex:00ff10" in second[-1]
    for path in files.values():
        path.write_text("x" * 16)
        path.chmod(0o640)
    keys, findings = read_keys(policy, [source], files)
    assert keys["b.psk"] == Secret(b"x" * 16)
    assert [one.message.split("b.psk")[-1] for one in findings[1:]] == ['" is open to its group.']
