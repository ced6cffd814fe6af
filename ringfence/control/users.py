# SPDX-License-Identifier: Apache-2.0
"""Users, and texts that they wrote, as the record of an edit has them."""

import pwd


def user_said(uid: int, *, through: str = "") -> str:
    """Such as ``alice (uid 1000) through sudo``."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        name = "somebody"
    return f"{name} (uid {uid}){f' through {through}' if through else ''}"


def harmless(text: str) -> str:
    """On one line, and without what a terminal would act on."""
    return "".join(c if c.isprintable() else " " for c in text)
