# SPDX-License-Identifier: Apache-2.0
"""Declare a format once: a ``@wire`` class is the value, and its annotations are its codec."""

from ringfence.wire.declare import (
    U8,
    U16,
    U32,
    U64,
    Between,
    Counted,
    Fixed,
    Many,
    Pad,
    Rest,
    Times,
    Wire,
    little,
    wire,
)
from ringfence.wire.reader import DecodeError, Reader

__all__ = [
    "U8",
    "U16",
    "U32",
    "U64",
    "Between",
    "Counted",
    "DecodeError",
    "Fixed",
    "Many",
    "Pad",
    "Reader",
    "Rest",
    "Times",
    "Wire",
    "little",
    "wire",
]
