# SPDX-License-Identifier: Apache-2.0
"""An error says what, where and what to do."""

from ringfence.errors import IpsecError


def test_it_says_all_three() -> None:
    assert str(IpsecError("no such file", place="policy.toml:3", cure="Make it.")) == (
        "policy.toml:3: no such file\nMake it."
    )
    assert str(IpsecError("just so")) == "just so"
