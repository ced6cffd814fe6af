# SPDX-License-Identifier: Apache-2.0
"""The ends of a tunnel."""

from ringfence.policy.gateways import Gateways


def test_nothing_is_said_of_other_gateways_unless_a_document_does() -> None:
    ends = Gateways(None)
    assert (ends.local, ends.pool, ends.asks, ends.others, ends.send_to) == (None, "", None, (), None)
