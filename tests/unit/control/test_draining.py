# SPDX-License-Identifier: Apache-2.0
"""The order to drain a gateway, as the API takes it."""

import pytest
from pydantic import ValidationError

from ringfence.control.draining import Drained, Draining


def test_without_an_address_the_gateway_serves() -> None:
    assert Draining().to == ""
    assert Draining.model_validate_json('{"to": "198.51.100.8"}').to == "198.51.100.8"


def test_what_is_unknown_is_no_order() -> None:
    with pytest.raises(ValidationError):
        Draining.model_validate_json('{"to": "198.51.100.8", "now": true}')
    with pytest.raises(ValidationError):
        Drained.model_validate({"to": ""})
