# SPDX-License-Identifier: Apache-2.0
"""What neither Windows nor Ringfence takes leaves a policy, and with it what needs it."""

import pytest
from unit.transfer.grouppolicy.objects import registry

from ringfence.policy.model import Policy
from ringfence.policy.terms import GlobalSettings
from ringfence.transfer.base import ImportFailed, KeyFiles
from ringfence.transfer.grouppolicy.importing import read_registry
from ringfence.transfer.grouppolicy.report import Report
from ringfence.transfer.grouppolicy.sets import SHAPES, SetKind
from ringfence.transfer.grouppolicy.sound import sound

AUTH, CRYPTO = SHAPES[SetKind.AUTH1].default, SHAPES[SetKind.CRYPTO2].default
NULL = {"Phase2CryptoSets\\{1}": {"Name": "null only"},
        "Phase2CryptoSets\\{1}\\0000": {"2_9Protocol": "AUTH_NO_ENCAP", "EspHash": "SHA1"}}  # fmt: skip


def rule(name: str, crypto: str) -> str:
    return f"v2.10|Action=Secure|Active=TRUE|Name={name}|Auth1Set={AUTH}|Crypto2Set={crypto}|"


def test_a_wrong_set_goes_with_the_rules_that_name_it() -> None:
    found = read_registry(registry({**NULL, "ConSecRules": {"a": rule("good", CRYPTO), "b": rule("bad", "{1}")}}), "x")
    assert [one.name for one in found.policy.rules] == ["good"]
    assert not found.policy.quick_mode_cryptos
    assert [left.words for left in found.left_out] == ['quick mode crypto "null only"', 'rule "bad"']
    assert "null encapsulation only" in found.left_out[0].why


def test_a_wrong_default_set_gives_way_to_ours() -> None:
    found = read_registry(registry({
        **NULL, "Phase2CryptoSets": {CRYPTO: "{1}"}, "ConSecRules": {"a": rule("good", CRYPTO)},
    }), "x")  # fmt: skip
    assert [one.name for one in found.policy.rules] == ["good"]
    assert not found.policy.settings.quick_mode_crypto
    assert "quick-mode-crypto" not in found.policy.settings.places


def test_whatever_leaves_is_named() -> None:
    long = "a name that is so long that a finding does not have all of it, and so two of them are alike: {}"
    rules = {str(number): rule(long.format(number)[:90] + str(number), "{1}") for number in range(2)}
    found = read_registry(registry({**NULL, "ConSecRules": rules}), "x")
    assert not found.policy.rules
    assert len([left for left in found.left_out if left.words.startswith('rule "a name')]) == 2


def test_where_nothing_helps_all_is_refused() -> None:
    odd = Policy(settings=GlobalSettings(idle_s=-60))
    with pytest.raises(ImportFailed):
        sound(odd, Report("x", KeyFiles()))


def test_what_is_right_stays_as_it_is() -> None:
    policy = Policy()
    assert sound(policy, Report("x", KeyFiles())) is policy
