# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.policy import words
from ringfence.policy.explain import explain, parse_flow
from ringfence.testing.policies import compile_text, rule_text


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "protected by ESP aes256-gcm (or aes128-gcm, aes256-sha256); in clear nothing passes"),
        ({"protect": '["esp aes256-sha256 + ah sha1", "ah sha256", "esp aes256"]'.replace(', "esp aes256"', "")},
         "protected by ESP aes256-sha256 with AH sha1 (or AH sha256); in clear nothing passes"),
        ({"secure": '"request"', "protect": '"ah sha256"'},
         "protected by AH sha256; in clear where the other side cannot"),
        ({"secure": '{ in = "require", out = "request" }', "protect": '"ah sha256"'},
         "protected by AH sha256; in clear outward where the other side cannot, never inward"),
        ({"secure": '{ in = "request", out = "require" }', "protect": '"ah sha256"'},
         "protected by AH sha256; never in clear outward, clear is accepted inward"),
        ({"remote": '{ gateway = "192.0.2.9" }', "protect": '"ah sha256"'},
         "protected by AH sha256, in a tunnel to 192.0.2.9; in clear nothing passes"),
        ({"secure": '"none"', "auth": ""}, "permitted as it is"),
    ],
)  # fmt: skip
def test_treatment(settings: dict[str, str], expected: str) -> None:
    text = "\n".join(line for line in rule_text(**settings).splitlines() if line != "auth = ")
    assert words.treatment(compile_text(text, "10.77.0.1").spd.entries[-1]) == expected


def test_traffic() -> None:
    found = compile_text(
        '[[filter]]\nname = "f"\nblock = ["tcp to 23", "any"]\nwith = "10.0.0.9"\nmirrored = false\n', "10.77.0.1"
    )
    assert [words.traffic(entry) for entry in found.spd.entries[-2:]] == [
        "10.77.0.1 -> 10.0.0.9:23, tcp", "10.77.0.1 -> 10.0.0.9, any protocol",
    ]  # fmt: skip


def test_the_default_response_rule() -> None:
    text = '[policy]\nbased-on = "Client (Respond Only)"\nauth = { psk-file = "test.psk" }\n'
    found = compile_text(text, "10.77.0.1")
    assert words.treatment(found.spd.entries[-1]).endswith("; in clear until the other side asks for protection")
    told = explain(found, *parse_flow("out tcp 10.77.0.1 -> 10.77.0.2:80")).lines()
    assert told[0].endswith("; in clear until the other side asks for protection")


HOURLY = "(until now after 60 min)"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"pfs": '"ecp256"'}, "PFS ecp256 (until now none)"),
        ({"lifetime": '{ time = "30 min", data = "1 GB" }'}, f"new keys after 30 min or after 1 GB {HOURLY}"),
        ({"lifetime": '{ packets = 1000, time = "60 min" }'}, f"new keys after 60 min or after 1000 packets {HOURLY}"),
        ({"replay_window": "128"}, "replay window 128 (until now 64)"),
        ({"nat_traversal": "false"}, "NAT traversal no (until now yes)"),
    ],
)  # fmt: skip
def test_details(settings: dict[str, str], expected: str) -> None:
    old, new = (compile_text(rule_text(**some), "10.77.0.1").spd.entries[-1].processing for some in ({}, settings))
    assert list(words.details(old, new)) == [expected]
    assert list(words.details(None, new)) == list(words.details(new, new)) == []


def test_main_modes_and_what_holds_elsewhere() -> None:
    text = rule_text(
        "lab", profiles='"domain"', main_mode='{ methods = ["aes256-sha384-ecp384", "aes128-sha256-ecp256"] }'
    )
    found = compile_text(text + "[profile]\ndefault = 'domain'\n", "10.77.0.1")
    assert words.main_mode(found.pad.entries[0].proposals) == "aes256-sha384-ecp384 (or aes128-sha256-ecp256)"
    assert words.main_mode(found.pad.entries[0].proposals[:1]) == "aes256-sha384-ecp384"
    assert [words.elsewhere(one) for one in compile_text(text, "10.77.0.1").elsewhere.nowhere()] == [
        'rule "lab" test.toml:1 (profiles domain)'
    ]
