# SPDX-License-Identifier: Apache-2.0
"""What stands behind the port."""

from lab.authority import NOW

from ringfence.credentials.base import Keeper
from ringfence.credentials.keeper import LocalKeeper
from ringfence.crypto.signature import Scheme
from ringfence.ike.effects import Sign, Unfit


def test_the_local_keeper_answers_as_the_port_says():
    made: Keeper = LocalKeeper(lambda: NOW)
    made.hold({})
    assert isinstance(made.answer(Sign("0" * 64, Scheme.RSA_HASH, b"")), Unfit)
