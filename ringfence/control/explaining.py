# SPDX-License-Identifier: Apache-2.0
"""A question about a packet, in the API's words; the service and ``explain --policy`` answer it alike."""

from ringfence.control.errors import BadRequest
from ringfence.control.messages import Explanation
from ringfence.databases.spd import Action, Direction
from ringfence.net.flow import FlowKey
from ringfence.policy.compile import Compiled
from ringfence.policy.errors import BadWord
from ringfence.policy.explain import explain, parse_flow


def explained(compiled: Compiled, packet: str) -> tuple[Explanation, FlowKey]:
    """What ``compiled`` does with ``packet``, and its flow seen from this host outward; raises BadRequest.

    Whether there is an SA for it, the policy alone does not know.
    """
    try:
        flow, direction = parse_flow(packet)
    except BadWord as error:
        raise BadRequest(f'The packet is "{packet}", {error.why}.', cure=error.cure) from error
    told = explain(compiled, flow, direction)
    answer = Explanation(verdict=told.action.value, sure=told.action is not Action.PROTECT, lines=list(told.lines()))
    return answer, flow.reversed() if direction is Direction.IN else flow
