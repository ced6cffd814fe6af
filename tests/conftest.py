# SPDX-License-Identifier: Apache-2.0
"""What all tests share.

Random cases are the same in every run, so that a failure is a change's fault and comes back; with RINGFENCE_ANEW=1, as
in ``make soak``, others are drawn each time, to find what nobody has thought of.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("repeated", derandomize=True, print_blob=True)
settings.register_profile("anew", print_blob=True)
settings.load_profile("anew" if os.environ.get("RINGFENCE_ANEW") else "repeated")

pytest.register_assert_rewrite("lab.guest", "lab.ikev1", "lab.product", "lab.wire")
pytest_plugins = ["lab.fixtures"]
