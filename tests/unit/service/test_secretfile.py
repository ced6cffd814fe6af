# SPDX-License-Identifier: Apache-2.0
"""Secrets that outlive a restart, and whom they are not trusted from."""

import os
from contextlib import nullcontext

import pytest

from ringfence.service.errors import CannotRun
from ringfence.service.lock import namespace_number
from ringfence.service.secretfile import CRASH, OCTETS, crash_secret, kept_secret


def octets(number):
    return bytes(range(number))


def other(number):
    return b"\xff" * number


def test_it_is_made_once_and_nobody_else_can_read_it(tmp_path):
    folder = tmp_path / "state"
    made = kept_secret(folder, CRASH, octets)
    assert made.reveal() == octets(OCTETS)
    about = (folder / CRASH).stat()
    assert (about.st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert kept_secret(folder, CRASH, other) == made
    assert os.listdir(folder) == [CRASH]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_what_others_could_read_or_write_is_made_anew(tmp_path, mode):
    kept_secret(tmp_path, CRASH, octets)
    (tmp_path / CRASH).chmod(mode)
    assert kept_secret(tmp_path, CRASH, other).reveal() == other(OCTETS)
    assert (tmp_path / CRASH).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("found", [b"", octets(OCTETS - 1), octets(OCTETS + 1)])
def test_what_is_none_is_made_anew(tmp_path, found):
    (tmp_path / CRASH).write_bytes(found)
    (tmp_path / CRASH).chmod(0o600)
    assert kept_secret(tmp_path, CRASH, other).reveal() == other(OCTETS)


def test_a_link_leads_nowhere(tmp_path):
    target = tmp_path / "elsewhere"
    target.write_bytes(octets(OCTETS))
    target.chmod(0o600)
    (tmp_path / CRASH).symlink_to(target)
    assert kept_secret(tmp_path, CRASH, other).reveal() == other(OCTETS)
    assert target.read_bytes() == octets(OCTETS)
    assert not (tmp_path / CRASH).is_symlink()


def test_where_nothing_can_be_kept(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotRun, match="cannot be kept"):
        kept_secret(tmp_path / "file", CRASH, octets)


@pytest.mark.parametrize(
    ("end", "left"), [(None, False), (CannotRun("The port is taken."), False), (ZeroDivisionError(), True)]
)
def test_without_a_state_folder_it_lasts_until_the_service_says_that_it_ends(tmp_path, end, left):
    name = f"network-{namespace_number()}.{CRASH}"
    expected = nullcontext() if end is None else pytest.raises(type(end))
    with expected, crash_secret(None, tmp_path, octets) as made:
        assert made.reveal() == octets(OCTETS)
        assert os.listdir(tmp_path) == [name]
        if end is not None:
            raise end
    assert os.listdir(tmp_path) == [name] * left


def test_in_a_state_folder_it_stays(tmp_path):
    with crash_secret(tmp_path / "state", tmp_path, octets):
        pass
    assert os.listdir(tmp_path / "state") == [CRASH]
