# SPDX-License-Identifier: Apache-2.0
"""What a rule comes to by its sets, by [global] and by default."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.policy.document import parse
from ringfence.policy.methods import QUICK_MODE_DEFAULT, parse_method
from ringfence.policy.model import Rule
from ringfence.policy.settle import Settler, Terms, encrypts
from ringfence.policy.terms import Certificate, Kerberos, MainMode, PskFile, UserKerberos
from ringfence.testing.policies import rule_text

SETS = """
[auth-set.domain]
first = ["kerberos", { certificate = "CN=CA" }]
second = "user-kerberos"
[quick-mode-crypto.strong]
protect = ["esp aes256-gcm", "esp aes256-sha256 every 10 min"]
lifetime = "20 min"
pfs = "ecp384"
[quick-mode-crypto.plain]
[main-mode-crypto.quick]
methods = "aes128-sha256-x25519"
lifetime = "60 min"
"""


def terms(text: str) -> Terms:
    policy = parse(text + SETS, name="p")
    return Settler(policy).terms(policy.rules[0])


def test_a_rule_that_says_nothing_has_ringfences_choice() -> None:
    found = terms(rule_text())
    assert [str(method) for method in found.protect] == list(QUICK_MODE_DEFAULT)
    assert {method.limits for method in found.protect} == {Limits(3600)} == {found.lifetime}
    assert (found.pfs, found.main_mode, found.second_auth) == (False, MainMode(), ())


def test_a_rule_that_names_sets() -> None:
    found = terms('[[rule]]\nname = "r"\nauth-set = "domain"\nquick-mode-crypto = "strong"\n')
    assert found.auth == (Kerberos(), Certificate("CN=CA"))
    assert found.second_auth == (UserKerberos(),)
    assert [(str(one), one.limits.seconds) for one in found.protect] == [
        ("esp aes256-gcm", 1200), ("esp aes256-sha256", 600),
    ]  # fmt: skip
    assert (found.lifetime, found.pfs) == (Limits(1200), DhGroup.ECP_384)


GLOBAL = """
[global]
auth-set = "domain"
protect = "ah sha256"
lifetime = "30 min"
pfs = true
main-mode-crypto = "quick"
"""


def test_global_stands_in() -> None:
    found = terms('[[rule]]\nname = "r"\n' + GLOBAL)
    assert (found.auth, found.second_auth) == ((Kerberos(), Certificate("CN=CA")), (UserKerberos(),))
    assert [str(one) for one in found.protect] == ["ah sha256"]
    assert (found.lifetime, found.pfs, found.main_mode.lifetime_s) == (Limits(1800), True, 3600)


def test_what_a_rule_says_stands_for_itself() -> None:
    found = terms(rule_text(lifetime='"10 min"', pfs="false", main_mode='{ lifetime = "5 min" }') + GLOBAL)
    assert (found.auth, found.second_auth) == ((PskFile("test.psk"),), ()), "its own first has no second of others"
    assert [(str(one), one.limits.seconds) for one in found.protect] == [("ah sha256", 600)]
    assert (found.pfs, found.main_mode.lifetime_s) == (False, 300)


def test_a_set_is_whole() -> None:
    found = terms('[[rule]]\nname = "r"\nquick-mode-crypto = "plain"\n' + GLOBAL)
    assert [str(one) for one in found.protect] == list(QUICK_MODE_DEFAULT)
    assert (found.lifetime, found.pfs) == (Limits(3600), False)


def test_encryption_may_be_required_of_all() -> None:
    text = rule_text(protect='["esp aes128-gcm", "ah sha256", "esp null-sha256", "none sha256"]')
    assert [str(one) for one in terms(text + "[global]\nrequire-encryption = true\n").protect] == ["esp aes128-gcm"]


@pytest.mark.parametrize(
    ("word", "answer"),
    [("esp aes128-gcm", True), ("esp null-sha1", False), ("esp null-aes128-gmac", False), ("ah sha1", False),
     ("esp aes128-sha1 + ah sha1", True), ("none sha1", False)],
)  # fmt: skip
def test_what_encrypts(word: str, answer: bool) -> None:
    assert encrypts(parse_method(word)) is answer


def test_an_exemption_agrees_on_nothing() -> None:
    policy = parse('[[rule]]\nname = "r"\nsecure = "none"\n' + GLOBAL + SETS, name="p")
    (rule,) = policy.rules
    assert Settler(policy).rule(rule) is rule
    assert isinstance(rule, Rule)


def test_a_main_mode_rule() -> None:
    text = """
[[main-mode]]
name = "by sets"
auth-set = "domain"
main-mode-crypto = "quick"
[[main-mode]]
name = "only how to authenticate"
auth = { psk-file = "k" }
[[main-mode]]
name = "only methods"
lifetime = "7 min"
"""
    policy = parse(text + GLOBAL + SETS, name="p")
    settler = Settler(policy)
    found = [settler.main_mode(one) for one in policy.main_modes]
    assert [auth for auth, _ in found] == [(Kerberos(), Certificate("CN=CA")), (PskFile("k"),), ()]
    assert [mode.lifetime_s for _, mode in found] == [3600, 3600, 420]
