# SPDX-License-Identifier: Apache-2.0
"""What we say in clear to a peer with whom we have no IKE SA: only enough for it to begin a new one."""

from ringfence.ike.effects import Effect
from ringfence.ike.header import Header
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import IPSEC_DOI, NotifyPayload, ProtocolId
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.world import World
from ringfence.net.address import Path


def unknown_cookie(header: Header, path: Path, world: World) -> list[Effect]:
    """Say that we do not know the IKE SA of a message: perhaps we were restarted (RFC 2408 §5.1)."""
    cookies = header.initiator_cookie, header.responder_cookie
    voice = Speaker(path, cookies, world.env, world.clear_notifies, "")
    voice.inform_in_clear(NotifyPayload(IPSEC_DOI, ProtocolId.ISAKMP, b"".join(cookies), Notify.INVALID_COOKIE))
    return [output for output in voice.drain() if isinstance(output, Effect)]
