# SPDX-License-Identifier: Apache-2.0
from ringfence.control.users import harmless, user_said


def test_users_have_names_and_numbers() -> None:
    assert user_said(0) == "root (uid 0)"
    assert user_said(0, through="sudo") == "root (uid 0) through sudo"
    assert user_said(3_999_999_999) == "somebody (uid 3999999999)"
    assert user_said(1 << 40).startswith("somebody")


def test_nothing_reaches_a_terminal_unseen() -> None:
    assert harmless("a\x1b[2J\nb") == "a [2J b"
