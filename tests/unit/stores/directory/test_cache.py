# SPDX-License-Identifier: Apache-2.0
"""The copy comes back octet for octet, and only as it was written."""

import os
from pathlib import Path

import pytest

from ringfence.stores.directory.cache import FILE, Copy, forget, keep, kept
from ringfence.stores.directory.objects import Entry
from ringfence.stores.errors import StoreError

COPY = Copy("CN=p", (Entry("CN=p", {"ipsecdata": (b"\0\xff", b""), "ipsecname": ("Ä".encode(),)}),), "2026-01-02 03:04")


def test_a_copy_comes_back(tmp_path: Path) -> None:
    assert kept(tmp_path) is None
    keep(tmp_path / "state", COPY)
    assert kept(tmp_path / "state") == COPY
    assert (tmp_path / "state" / FILE).stat().st_mode & 0o777 == 0o600
    assert [one.name for one in (tmp_path / "state").iterdir()] == [FILE]
    forget(tmp_path / "state")
    forget(tmp_path / "state")
    assert kept(tmp_path / "state") is None


def test_a_link_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    keep(tmp_path / "there", COPY)
    (tmp_path / FILE).symlink_to(tmp_path / "there" / FILE)
    with pytest.raises(StoreError, match="cannot be read"):
        kept(tmp_path)


def test_what_is_no_file_of_ours_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(StoreError):
        kept(tmp_path)
    (tmp_path / FILE).rmdir()
    os.close(os.open(tmp_path / FILE, os.O_CREAT | os.O_WRONLY, 0o600))
    with pytest.raises(StoreError, match="digest"):
        kept(tmp_path)
