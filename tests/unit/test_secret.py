# SPDX-License-Identifier: Apache-2.0
"""A secret shows itself only when asked."""

import copy
import json
import pickle

import pytest

from ringfence.secret import Secret

KEY = Secret(b"correct horse")


def test_it_shows_nothing() -> None:
    assert repr(KEY) == str(KEY) == f"{KEY}" == "Secret(13 octets)"
    assert KEY.reveal() == b"correct horse"
    assert len(KEY) == 13


def test_it_compares() -> None:
    assert Secret(b"correct horse") == KEY
    assert Secret(b"other") != KEY
    assert KEY != b"correct horse"
    assert len({KEY, Secret(b"correct horse")}) == 1


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy, json.dumps])
def test_it_is_not_written(write) -> None:
    with pytest.raises(TypeError):
        write(KEY)
