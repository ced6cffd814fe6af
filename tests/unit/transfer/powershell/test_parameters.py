# SPDX-License-Identifier: Apache-2.0
"""The cmdlets and their parameters."""

import pytest

from ringfence.transfer.powershell.parameters import CONTENT, Form, Use, cmdlet
from ringfence.transfer.powershell.values import PROPOSALS, Kind


def test_each_noun_has_its_verbs() -> None:
    for kind in Kind:
        noun = kind.value.lower()
        assert kind in CONTENT
        made = kind not in (Kind.SETTING, Kind.PROFILE)
        assert (cmdlet(f"new-{noun}") is not None) == made
        assert (cmdlet(f"set-{noun}") is not None) == (kind not in PROPOSALS)
        assert (cmdlet(f"rename-{noun}") is not None) == (made and kind not in PROPOSALS)


def test_others_are_not_known() -> None:
    for name in ("write-host", "new-netipsecdospsetting", "get-netipsecmainmodesa", "frob-netipsecrule", "new"):
        assert cmdlet(name) is None


@pytest.mark.parametrize("verb", ["new", "set", "get", "remove", "enable", "copy"])
def test_no_parameter_is_there_twice(verb: str) -> None:
    for kind in Kind:
        found = cmdlet(f"{verb}-{kind.value.lower()}")
        words = [word.lower() for one in found.parameters for word in (one.name, *one.aliases)] if found else []
        assert len(set(words)) == len(words), (kind, sorted(words))


def test_what_names_objects() -> None:
    found = cmdlet("set-netipsecrule")
    assert found is not None
    assert found.places == ("IPsecRuleName",)
    by_name = {one.name: one for one in found.parameters}
    assert by_name["DisplayName"].use is Use.SELECT
    assert by_name["Enabled"].use is Use.CONTENT
    asked = cmdlet("get-netipsecrule")
    assert asked is not None
    assert {one.name: one for one in asked.parameters}["Enabled"].use is Use.SELECT


def test_what_is_chosen_has_words() -> None:
    for parameters in CONTENT.values():
        for one in parameters:
            assert bool(one.words) == (one.form in (Form.CHOICE, Form.CHOICES)), one.name
