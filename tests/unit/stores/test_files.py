# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from ringfence.stores.errors import StoreError
from ringfence.stores.files import is_special, read_octets, size, stamp


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    assert read_octets(tmp_path / "f", 5, "it") == b"12345"
    with pytest.raises(StoreError, match="it is larger than 4 octets"):
        read_octets(tmp_path / "f", 4, "it")
    with pytest.raises(StoreError) as caught:
        read_octets(tmp_path / "none", 4, "it", missing="Make it.")
    assert caught.value.cure == "Make it."
    with pytest.raises(StoreError, match="all of them"):
        read_octets(tmp_path, 4, "it")
    with pytest.raises(StoreError, match="null"):
        read_octets(Path("a\0b"), 4, "it")


def test_what_never_ends_is_special(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert is_special(tmp_path / "pipe")
    assert not is_special(tmp_path)
    assert not is_special(tmp_path / "none")


def test_a_stamp_tells_another_file(tmp_path: Path) -> None:
    assert stamp(tmp_path / "f") is None
    (tmp_path / "f").write_text("a")
    first = stamp(tmp_path / "f")
    (tmp_path / "g").write_text("b")
    (tmp_path / "g").replace(tmp_path / "f")
    assert first != stamp(tmp_path / "f")


def test_sizes() -> None:
    assert [size(5), size(4 << 20)] == ["5 octets", "4 MB"]
