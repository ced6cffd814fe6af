# SPDX-License-Identifier: Apache-2.0
"""A question about a packet, in the API's words; the service and ``explain --policy`` answer it alike."""

from ringfence.control.errors import BadRequest
from ringfence.control.messages import Explanation
from ringfence.databases.spd import Action, Direction
from ringfence.net.flow import FlowKey
from ringfence.policy.compile import Compiled
from ringfence.policy.errors import BadWord
from ringfence.policy.explain import answer, parse_question


def explained(compiled: Compiled, packet: str) -> tuple[Explanation, FlowKey]:
    """What ``compiled`` does with ``packet``, and its flow seen from this host outward; raises BadRequest.

    Whether there is an SA for it, the policy alone does not know.
    """
    try:
        question = parse_question(packet)
    except BadWord as error:
        raise BadRequest(f'The packet is "{packet}", {error.why}.', cure=error.cure) from error
    told = answer(compiled, question)
    verdict, lines = told.action if told.passes else Action.DISCARD, list(told.lines())
    sure = verdict is not Action.PROTECT and (told.passage.surely or not told.passage.stops)
    flow = question.flow.reversed() if question.direction is Direction.IN else question.flow
    return Explanation(verdict=verdict.value, sure=sure, lines=lines), flow
