# SPDX-License-Identifier: Apache-2.0
"""A question about a packet, in the API's words; the service and ``explain --policy`` answer it alike."""

from ringfence.control.errors import BadRequest
from ringfence.control.messages import Explanation
from ringfence.databases.boot import Fate
from ringfence.databases.spd import Action, Direction
from ringfence.net.flow import FlowKey
from ringfence.policy.bootspd import boot_spd
from ringfence.policy.bootwords import answer as at_boot
from ringfence.policy.compile import Compiled
from ringfence.policy.errors import BadWord
from ringfence.policy.explain import Question, answer, parse_question
from ringfence.policy.model import Policy


def explained(compiled: Compiled, packet: str) -> tuple[Explanation, FlowKey]:
    """What ``compiled`` does with ``packet``, and its flow seen from this host outward; raises BadRequest.

    Whether there is an SA for it, the policy alone does not know.
    """
    question = _question(packet)
    told = answer(compiled, question)
    verdict, lines = told.action if told.passes else Action.DISCARD, list(told.lines())
    sure = verdict is not Action.PROTECT and (told.passage.surely or not told.passage.stops)
    flow = question.flow.reversed() if question.direction is Direction.IN else question.flow
    return Explanation(verdict=verdict.value, sure=sure, lines=lines), flow


def explained_at_boot(policy: Policy, packet: str) -> Explanation:
    """What happens to ``packet`` before the service is up; raises BadRequest.

    One that passes only as an answer is permitted, and that is not sure.
    """
    fate, lines = at_boot(boot_spd(policy), _question(packet))
    verdict = Action.DISCARD if fate is Fate.DROPPED else Action.BYPASS
    return Explanation(verdict=verdict.value, sure=fate is not Fate.ANSWERS, lines=list(lines))


def _question(packet: str) -> Question:
    try:
        return parse_question(packet)
    except BadWord as error:
        raise BadRequest(f'The packet is "{packet}", {error.why}.', cure=error.cure) from error
