# SPDX-License-Identifier: Apache-2.0
"""AUTH_LIFETIME (RFC 4478): a responder tells the initiator for how long its proof counts.

The notify stands in the response that ends IKE_AUTH, and may come again in an INFORMATIONAL request: four octets of
seconds. The initiator begins anew before they are over; who does not is not believed any more.
"""

from ringfence.databases.pad import PadEntry
from ringfence.ike.payload import Chain
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload

OCTETS = 4


def announced(entry: PadEntry, left_s: int | None = None) -> tuple[NotifyPayload, ...]:
    """What a responder says of how long a proof counts: ``left_s`` where it is an older one."""
    seconds = entry.reauthenticate_s if left_s is None else max(left_s, 0)
    return () if seconds is None else (NotifyPayload(Notify.AUTH_LIFETIME, seconds.to_bytes(OCTETS)),)


def told(chain: Chain) -> int | None:
    """For how many seconds a peer says that ours counts; None where it says nothing that makes sense."""
    said = (each.data for each in chain.all(NotifyPayload) if each.kind == Notify.AUTH_LIFETIME)
    return next((int.from_bytes(data) for data in said if len(data) == OCTETS), None)
