# SPDX-License-Identifier: Apache-2.0
"""What all tests share."""

import pytest

pytest.register_assert_rewrite("lab.guest", "lab.ikev1", "lab.product", "lab.wire")
pytest_plugins = ["lab.fixtures"]
