# SPDX-License-Identifier: Apache-2.0
"""The Puzzle Solution payload (RFC 8019 §8.2)."""

from typing import ClassVar

from ringfence.ike.payload import Payload
from ringfence.wire import Rest, wire


@wire
class SolutionPayload(Payload):
    """Four keys of one size, one behind the other."""

    NUMBER: ClassVar[int] = 54

    data: Rest
