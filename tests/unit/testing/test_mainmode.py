# SPDX-License-Identifier: Apache-2.0
"""The same key gives the same keys."""

from ringfence.testing.mainmode import main_keys


def test_keys():
    assert main_keys().skeyid == main_keys().skeyid
    assert main_keys(b"other").skeyid != main_keys().skeyid
    assert main_keys().cipher.block == 16
