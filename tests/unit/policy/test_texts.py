# SPDX-License-Identifier: Apache-2.0
import tomllib

from ringfence.databases.proposal import Limits
from ringfence.net.address import AddressRange
from ringfence.place import NOWHERE, Place
from ringfence.policy.model import Certificate, HostName, Kerberos, Keyword, MainMode, PskFile
from ringfence.policy.texts import (
    Section,
    Setting,
    canonical_text,
    effective_text,
    lifetime_pairs,
    main_mode_pairs,
    one_a_line,
    toml_addresses,
    toml_auth,
    toml_flag,
    toml_list,
    toml_text,
)

SECTION = Section(
    "[[rule]]",
    (Setting("name", '"a"', False, Place("p.toml", 2)), Setting("x.y", "1", True, NOWHERE),
     Setting("x.z", "2", False, Place("base.toml", 3)), Setting("kind", '"k"', True, NOWHERE)),
    Place("p.toml", 1),
)  # fmt: skip


def test_a_section_in_both_forms() -> None:
    assert canonical_text(SECTION) == '[[rule]]\nname = "a"\nx = { z = 2 }\n'
    assert effective_text(SECTION).splitlines() == [
        "[[rule]]    # p.toml:1",
        'name = "a"  # line 2',
        "x.y  = 1    # default",
        "x.z  = 2    # base.toml:3",
        'kind = "k"  # follows from the rule',
    ]
    assert effective_text(Section("[policy]", ())) == "[policy]"
    assert list(one_a_line(SECTION.settings))[1] == "x = { y = 1, z = 2 }"


def test_values_are_toml() -> None:
    auth = (PskFile('a"b'), Kerberos(), Certificate("CN=\\x"))
    texts = {
        "auth": (toml_auth(auth), [{"psk-file": 'a"b'}, "kerberos", {"certificate": "CN=\\x"}]),
        "one": (toml_auth(auth[1:2]), "kerberos"),
        "text": (toml_text("\x1b\n\u202e"), "\x1b\n\u202e"),
        "list": (toml_list(["a", "b"]), ["a", "b"]),
        "only": (toml_list(["a"]), "a"),
        "flag": (toml_flag(False), False),
        "ends": (
            toml_addresses([Keyword.ME, HostName("f"), AddressRange.parse("10.0.0.0/8")]), ["me", "f.", "10.0.0.0/8"],
        ),
    }  # fmt: skip
    found = tomllib.loads("\n".join(f"{name} = {text}" for name, (text, _) in texts.items()))
    assert found == {name: value for name, (_, value) in texts.items()}


def test_defaults_are_known() -> None:
    assert all(default for *_, default in (*lifetime_pairs(Limits(3600)), *main_mode_pairs(MainMode())))
    assert [(name, text) for name, text, default in lifetime_pairs(Limits(60, 1 << 20, 5000)) if not default] == [
        ("lifetime.time", '"1 min"'), ("lifetime.data", '"1 MB"'), ("lifetime.packets", "5000"),
    ]  # fmt: skip
