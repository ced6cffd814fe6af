# SPDX-License-Identifier: Apache-2.0
"""Events of the service."""

from ringfence import audit


def test_a_fault_says_where() -> None:
    assert "a timer" in str(audit.ServiceFault(during="a timer", detail="KeyError: 1"))
