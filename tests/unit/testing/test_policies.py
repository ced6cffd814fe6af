# SPDX-License-Identifier: Apache-2.0
from ringfence.databases.spd import Action
from ringfence.testing.policies import KEYS, compile_text, rule_text


def test_a_policy_in_few_words() -> None:
    text = rule_text("lab", with_='"10.0.0.0/8"', replay_window="128")
    found = compile_text(text, "10.0.0.1")
    (entry,) = [entry for entry in found.spd if entry.action is Action.PROTECT]
    assert entry.processing is not None
    assert (entry.origin.rule, entry.processing.replay_window) == ("lab", 128)
    (peer,) = found.pad
    assert peer.auth[0].key == next(iter(KEYS.values()))
