# SPDX-License-Identifier: Apache-2.0
"""What is predefined is what windows documents, held against the words of its table."""

from dataclasses import replace

from ringfence.policy.defaults import (
    CLASSIC_METHODS,
    DEFAULT_POLICIES,
    FILTER_ACTIONS,
    FILTER_LISTS,
    inherited,
    main_mode_with_classic,
    with_classic,
)
from ringfence.policy.ipfilter import format_filter
from ringfence.policy.methods import weak
from ringfence.policy.model import MainMode
from ringfence.policy.windows import DYNAMIC, PolicyRule, Response


def test_the_three_default_policies() -> None:
    found = {name: [(r.filter_list, r.filter_action) for r in rules] for name, rules in DEFAULT_POLICIES.items()}
    respond, icmp = ("<Dynamic>", "Default Response"), ("All ICMP Traffic", "Permit")
    assert found == {
        "Client (Respond Only)": [respond],
        "Server (Request Security)": [("All IP Traffic", "Request Security (Optional)"), icmp, respond],
        "Secure Server (Require Security)": [("All IP Traffic", "Require Security"), icmp, respond],
    }
    for rules in DEFAULT_POLICIES.values():
        assert all(rule.filter_list in {*FILTER_LISTS, DYNAMIC} for rule in rules)
        assert all(rule.filter_action in FILTER_ACTIONS for rule in rules)


def test_the_filter_lists() -> None:
    words = {name: [format_filter(one) for one in found.filters] for name, found in FILTER_LISTS.items()}
    assert words == {
        "All IP Traffic": ["me <-> any"], "All ICMP Traffic": ["me icmp <-> any", "me icmpv6 <-> any"],
    }  # fmt: skip


def test_strictness_of_the_actions() -> None:
    found = {name: (one.response, one.accept_unsecured, one.fallback_to_clear) for name, one in FILTER_ACTIONS.items()}
    assert found == {
        "Permit": (Response.PERMIT, False, False),
        "Block": (Response.BLOCK, False, False),
        "Request Security (Optional)": (Response.NEGOTIATE, True, True),
        "Require Security": (Response.NEGOTIATE, True, False),
        "Default Response": (Response.NEGOTIATE, True, True),
    }


def test_nothing_weak_unless_asked_for() -> None:
    for action in FILTER_ACTIONS.values():
        assert weak(action.methods) == ()
        old = with_classic(action)
        if action.response is Response.NEGOTIATE:
            assert old.methods[: len(action.methods)] == action.methods
            assert old.methods[len(action.methods) :] == CLASSIC_METHODS[action.name]
            assert old.legacy
    mine = replace(FILTER_ACTIONS["Require Security"], accept_unsecured=False)
    assert with_classic(mine) is mine, "whoever writes his own, says his own methods"


def test_the_original_methods() -> None:
    found = {
        name: [f"{one} {(one.limits.octets or 0) // 1024}k/{one.limits.seconds}s" for one in methods]
        for name, methods in CLASSIC_METHODS.items()
    }
    assert found["Request Security (Optional)"] == [
        "esp 3des-sha1 100000k/900s", "esp des-sha1 100000k/900s", "ah sha1 100000k/300s", "ah md5 100000k/300s",
    ]  # fmt: skip
    assert found["Require Security"] == [
        f"esp {name} 100000k/900s" for name in ("3des-sha1", "3des-md5", "des-sha1", "des-md5")
    ]
    assert len(found["Default Response"]) == 6
    main = main_mode_with_classic(MainMode())
    assert list(map(str, main.methods))[-4:] == [
        "3des-sha1-modp1024", "3des-md5-modp1024", "des-sha1-modp768", "des-md5-modp768",
    ]  # fmt: skip
    only = replace(MainMode(), methods=MainMode().methods[:1])
    assert main_mode_with_classic(only) is only


def test_what_is_inherited() -> None:
    own = (PolicyRule("All IP Traffic", "Block"),)
    assert [rule.filter_list for rule in inherited("Server (Request Security)", own)] == ["All ICMP Traffic", DYNAMIC]
    assert inherited("", own) == ()
