# SPDX-License-Identifier: Apache-2.0
from ringfence.net.address import parse_address
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.host import HostFacts
from ringfence.policy.plan import plan
from ringfence.secret import Secret
from ringfence.testing.policies import KEYS, compile_text, rule_text

LAB = rule_text("lab", with_='"10.77.0.0/24"')
TELNET = '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n'


def test_a_first_policy_is_added() -> None:
    found = plan(None, compile_text(LAB + TELNET, "10.77.0.1"))
    assert found.lines() == (
        "+ 10.77.0.1 <-> 10.77.0.0/24, any protocol: protected by ESP aes256-gcm (or aes128-gcm, aes256-sha256); "
        "in clear nothing passes",
        '    rule "lab" test.toml:1',
        "+ 10.77.0.1 <-> 0.0.0.0/0:23, tcp: blocked",
        '    rule "no telnet" test.toml:5',
    )
    assert found.summary() == "2 added"


def test_nothing_changes() -> None:
    one, moved = compile_text(LAB, "10.77.0.1"), compile_text("# a comment\n\n" + LAB, "10.77.0.1")
    found = plan(one, moved)
    assert not found
    assert (found.summary(), found.lines(), found.kept) == ("nothing changes", ("Nothing changes.",), 1)


def test_changes_and_removals() -> None:
    old = compile_text(LAB + TELNET, "10.77.0.1")
    new = compile_text(LAB + 'secure = "request"\n' + TELNET.replace("23", "24"), "10.77.0.1")
    found = plan(old, new)
    assert found.summary() == "1 added, 1 removed, 1 changed"
    text = "\n".join(found.lines())
    assert "- 10.77.0.1 <-> 0.0.0.0/0:23, tcp: blocked" in text
    assert "in clear where the other side cannot" in text
    assert "until now protected by" in text
    assert "in clear nothing passes" in text


def test_a_stricter_setting_that_words_do_not_show_is_a_change_too() -> None:
    old, new = compile_text(LAB, "10.77.0.1"), compile_text(LAB + "replay-window = 128\n", "10.77.0.1")
    found = plan(old, new)
    assert [entry.name for _, entry in found.changed] == ["lab/10.77.0.1 <-> 10.77.0.0/24"]
    assert found.lines()[1] == "    replay window 128 (until now 64)"


DEFAULT = "aes256-sha256-ecp256 (or aes256-sha256-x25519, aes256-sha384-ecp384, aes128-sha256-ecp256, " + (
    "aes256-sha256-modp2048, aes128-sha256-modp2048)"
)
BOTH = f"aes256-sha256-x25519+mlkem768 (or {DEFAULT.replace(' (or', ',')}"


def test_a_main_mode_rule_that_comes() -> None:
    rule = '[[main-mode]]\nname = "m"\nwith = "10.77.0.0/24"\nauth = { psk-file = "other.psk" }\n'
    keys = {**KEYS, "other.psk": Secret(b"another key that only tests know")}
    host = HostFacts((parse_address("10.77.0.1"),))
    old, new = (compile_policy(parse(LAB + more, name="p"), host, keys) for more in ("", rule + "sessions = 2\n"))
    assert plan(old, new).lines()[1:] == (
        f"    main mode {DEFAULT}; preshared key other.psk; IKEv1 alone "
        f"(until now {BOTH}; preshared key test.psk; IKEv2, else IKEv1)",
        '    rule "lab" p:1',
    )


def test_other_main_modes() -> None:
    old = compile_text(LAB, "10.77.0.1")
    new = compile_text(LAB + 'main-mode = { methods = "aes256-sha384-ecp384" }\n', "10.77.0.1")
    found = plan(old, new)
    assert found.peers == ("preshared key test.psk",)
    assert found.summary() == "1 with other keys or methods, 1 as before"
    assert found.lines() == (
        "~ preshared key test.psk: main mode is made anew",
        "    aes256-sha384-ecp384; preshared key test.psk; IKEv2, else IKEv1 "
        f"(until now {BOTH}; preshared key test.psk; IKEv2, else IKEv1)",
    )
    wider = compile_text(LAB + rule_text("other", with_='"10.78.0.0/24"'), "10.77.0.1")
    assert plan(old, wider).peers == ()
    assert plan(old, compile_text("", "10.77.0.1")).summary().endswith("removed")


def test_other_masquerading() -> None:
    old, new = (
        compile_text(f'[global]\nmasqueraded = "{word}"\n{LAB}', "10.77.0.1") for word in ("block", "clear")
    )  # fmt: skip
    assert plan(old, new).summary() == "masquerading, 1 as before"
    assert plan(old, new).lines() == (
        "~ what is masqueraded for others where rules require protection: let go in clear",
    )
    assert plan(new, old).lines()[0].endswith("dropped")
    assert plan(None, new).translated is None
    assert not plan(old, old)


def test_what_only_built_in_entries_change_reads_well() -> None:
    rule = rule_text("lab", between='["10.77.0.1", "10.77.0.2"]')
    assert plan(compile_text(rule, "10.77.0.1", "fd77::1"), compile_text(rule, "10.77.0.1")).summary() == "1 as before"


def test_what_holds_at_boot() -> None:
    old, new = compile_text(LAB, "10.77.0.1"), compile_text('[boot]\nmode = "block"\n' + LAB, "10.77.0.1")
    found = plan(old, new)
    assert found.summary() == "what holds at boot, 1 as before"
    first, second, place = found.lines()
    assert first.startswith("~ [boot] block: ")
    assert second.startswith("    until now stateful: ")
    assert place == "    test.toml:1"
    assert plan(new, old).lines()[0].startswith("~ [boot] stateful: ")
    assert not plan(new, new)
