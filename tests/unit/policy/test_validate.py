# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.policy.document import parse
from ringfence.policy.errors import Severity
from ringfence.policy.validate import validate
from ringfence.testing.policies import compile_text, rule_text

LAB = rule_text("lab", with_='"10.77.0.0/24"')


def warnings(text: str) -> list[str]:
    found = validate(parse(text, name="test.toml"), compile_text(text, "10.77.0.1"))
    assert all(finding.severity is Severity.WARNING for finding in found)
    return list(map(str, found))


def test_nothing_to_say() -> None:
    assert warnings(LAB) == []
    assert validate(parse(LAB, name="p")) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "everything is permitted"),
        (LAB + "enabled = false\n", "everything is permitted"),
        (LAB + 'legacy = true\n', "test.toml:5: warning: rule \"lab\" says legacy = true but names nothing weak"),
        (LAB + 'protect = "esp 3des-sha1"\npfs = "modp1024"\nlegacy = true\n', "allows 3des, modp1024, which"),
        (LAB + 'lifetime = "30 s"\n', "makes new keys every 30 s"),
        (LAB + "replay-window = 0\n", "accepts packets that were sent before"),
        (LAB + 'traffic = "udp to 500"\n', 'wants "udp to 500" protected, but IKE always goes in clear'),
        (LAB + 'traffic = "esp"\n', 'wants "esp" protected, but ESP always goes in clear'),
        (rule_text("far", local='"10.1.0.0/16"', remote='"any"'), "holds for no address of this computer"),
        (LAB + '[[filter]]\nname = "x"\nwith = "10.77.0.0/24"\npermit = "any"\n',
         'filter "x" never decides: "lab" is about the same traffic'),
        (LAB + '[[filter]]\nname = "x"\nwith = "10.77.0.0/24"\nblock = "any"\n', 'rule "lab" never decides: "x"'),
        (LAB + '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n',
         'filter "no telnet" does not block 10.77.0.1 <-> 10.77.0.0/24, any protocol: it is more specific, and so by '
         'rule "lab" test.toml:1 that traffic may pass protected'),
    ],
)  # fmt: skip
def test_warnings(text: str, words: str) -> None:
    assert any(words in one for one in warnings(text)), warnings(text)


def test_holes_by_one_statement_are_one_warning() -> None:
    smb = '[[filter]]\nname = "no smb"\nblock = "tcp to 445"\n'
    many = '[[rule]]\nname = "friends"\nwith = ["10.77.0.9", "10.77.0.10", "10.77.0.11"]\nsecure = "none"\n'
    (one,) = warnings(smb + many)
    assert one == (
        'test.toml:1: warning: filter "no smb" does not block 10.77.0.1 <-> 10.77.0.10, any protocol, nor 2 more like '
        'it: it is more specific, and so by rule "friends" test.toml:4 that traffic is permitted.\n'
        "Name the same addresses in the filter, and it decides."
    )
    several = "".join(f'[[rule]]\nname = "{n}"\nwith = "10.77.0.{n}"\nsecure = "none"\n' for n in range(20, 32))
    found = warnings(smb + several)
    assert len(found) == 11
    assert 'filter "no smb" has 2 more such holes, which are not listed' in found[-1]


NOWHERE = "is for domain networks, and nothing says which these are: it holds nowhere.\n"


def test_profiles_that_no_network_is_known_by() -> None:
    cure = 'Say how they are known: [profile.domain] networks = "10.0.0.0/8"'
    main_mode = '[[main-mode]]\nname = "m"\nwith = "any"\npfs = true\nprofiles = "domain"\n'
    found = warnings(LAB + 'profiles = "domain"\n' + main_mode)
    assert found == [
        f'test.toml:5: warning: rule "lab" {NOWHERE}{cure}',
        f'test.toml:10: warning: main mode rule "m" {NOWHERE}{cure}',
    ]  # fmt: skip
    for known in ('[profile.domain]\nnetworks = "10.0.0.0/8"\n', '[profile]\ndefault = "domain"\n'):
        assert not [one for one in warnings(LAB + 'profiles = "domain"\n' + main_mode + known) if "nowhere" in one]
    assert warnings(LAB + 'profiles = "domain, public"\n') == []


def test_a_filter_that_blocks_everything_else_is_meant() -> None:
    assert warnings(LAB + '[[filter]]\nname = "rest"\nblock = "any"\n') == []


def test_an_exemption_has_nothing_to_warn_of() -> None:
    assert warnings('[[rule]]\nname = "p"\nwith = "10.0.0.9"\nsecure = "none"\n') == []


def test_nobody_is_assigned() -> None:
    one = '[policy."{}"]\nbased-on = "Client (Respond Only)"\n'
    found = [str(each) for each in validate(parse(one.format("A") + one.format("B"), name="p.toml"))]
    assert any('p.toml:1: warning: no IPsec policy is assigned; there are "A" and "B".' in each for each in found), (
        found
    )
    assert not any("assigned" in str(each) for each in validate(parse(one.format("A") + "assigned = true\n", name="p")))


def test_what_anonymous_makes_useless() -> None:
    text = rule_text("lab", with_='"10.77.0.0/24"', auth='["anonymous", { psk-file = "k" }]', keying='["ikev2"]')
    found = [str(one) for one in validate(parse(text, name="p"))]
    assert any("so nobody has to go those" in one for one in found), found


def test_rsa_with_sha1_is_weak() -> None:
    text = rule_text("lab", with_='"10.77.0.0/24"', auth='{ certificate = "CN=A" }', keying='["ikev2"]')
    found = [str(one) for one in validate(parse(text + "legacy = true\n", name="p"))]
    assert any("allows signatures by RSA with SHA-1, which" in one for one in found), found
    assert not any("nothing weak" in one for one in found)
    assert validate(parse(text, name="p")) == ()
