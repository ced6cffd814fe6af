# SPDX-License-Identifier: Apache-2.0
"""DNS names of a policy are looked up again and again, because what they stand for changes.

The resolver of this computer does not say how long an answer holds, so five minutes are taken for it. In another
network, or with other name servers, names may stand for something else at once: then they are asked for within two
seconds.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from ringfence.backends.hostfacts import host_facts
from ringfence.backends.names import NameBook
from ringfence.stores.files import stamp

AGAIN_S = 300.0
UNKNOWN_AGAIN_S = 10.0
LOOK_S = 1.0

HOSTS = Path("/etc/hosts")


def surroundings() -> object:
    """What answers depend on, comparable: the name servers, this computer's addresses, and its own list of names."""
    facts = host_facts()
    return facts.dns_servers, facts.addresses, stamp(HOSTS)


async def follow(
    book: NameBook,
    names: Callable[[], tuple[str, ...]],
    changed: Callable[[], None],
    around: Callable[[], object] = surroundings,
) -> None:
    """Ask for ever, and call ``changed`` when a name stands for something else."""
    while True:
        await _rest(book, names, around)
        if await asyncio.to_thread(book.refresh, names()):
            changed()


async def _rest(book: NameBook, names: Callable[[], tuple[str, ...]], around: Callable[[], object]) -> None:
    """Until it is time to ask again."""
    loop = asyncio.get_running_loop()
    began, before = loop.time(), around()
    while True:
        await asyncio.sleep(min(LOOK_S, UNKNOWN_AGAIN_S, AGAIN_S))
        wanted = names()
        patience = UNKNOWN_AGAIN_S if len(book.known(wanted)) < len(wanted) else AGAIN_S
        if loop.time() - began >= patience or (wanted and around() != before):
            return
