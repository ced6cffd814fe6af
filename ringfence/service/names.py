# SPDX-License-Identifier: Apache-2.0
"""DNS names of a policy are looked up again and again, because what they stand for changes.

The resolver of this computer does not say how long an answer holds, so five minutes are taken for it. In another
network, or with other name servers, names may stand for something else at once: then they are asked for at once, too.
"""

import asyncio
import contextlib
from collections.abc import Callable

from ringfence.backends.hostfacts import ROOT, host_facts
from ringfence.backends.names import NameBook
from ringfence.stores.files import stamp

AGAIN_S = 300.0
UNKNOWN_AGAIN_S = 10.0
LOOK_S = 1.0

HOSTS = "etc/hosts"


def surroundings() -> object:
    """What answers depend on, comparable: the name servers, this computer's addresses, and its own list of names."""
    facts = host_facts()
    return facts.dns_servers, facts.addresses, stamp(ROOT / HOSTS)


async def follow(
    book: NameBook,
    names: Callable[[], tuple[str, ...]],
    changed: Callable[[], None],
    around: Callable[[], object] = surroundings,
    woken: asyncio.Event | None = None,
) -> None:
    """Ask for ever, and call ``changed`` when a name stands for something else; ``woken`` has it look at once."""
    woken, before = woken or asyncio.Event(), around()
    while True:
        before = await _rest(book, names, around, woken, before)
        if await asyncio.to_thread(book.refresh, names()):
            changed()


async def _rest(
    book: NameBook, names: Callable[[], tuple[str, ...]], around: Callable[[], object], woken: asyncio.Event,
    before: object,
) -> object:  # fmt: skip
    """Until it is time to ask again; what is around then, where ``before`` was when names were asked for last."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), min(LOOK_S, UNKNOWN_AGAIN_S, AGAIN_S))
        woken.clear()
        wanted, now = names(), around()
        patience = UNKNOWN_AGAIN_S if len(book.known(wanted)) < len(wanted) else AGAIN_S
        if loop.time() - began >= patience or (wanted and now != before):
            return now
