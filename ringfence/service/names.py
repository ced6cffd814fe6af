# SPDX-License-Identifier: Apache-2.0
"""DNS names of a policy are looked up again and again, because what they stand for changes.

The resolver of this computer does not say how long an answer holds, so five minutes are taken for it.
"""

import asyncio
from collections.abc import Callable

from ringfence.backends.names import NameBook

AGAIN_S = 300.0
UNKNOWN_AGAIN_S = 10.0


async def follow(book: NameBook, names: Callable[[], tuple[str, ...]], changed: Callable[[], None]) -> None:
    """Ask for ever, and call ``changed`` when a name stands for something else."""
    while True:
        wanted = names()
        unknown = len(book.known(wanted)) < len(wanted)
        await asyncio.sleep(UNKNOWN_AGAIN_S if unknown else AGAIN_S)
        if await asyncio.to_thread(book.refresh, names()):
            changed()
