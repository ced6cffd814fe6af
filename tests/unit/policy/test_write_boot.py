# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.policy.boot import NO_BOOT
from ringfence.policy.document import parse
from ringfence.policy.write import canonical, effective
from ringfence.policy.write_boot import boot_sections

RULE = '\n[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n'


@pytest.mark.parametrize(
    "text",
    [
        '[boot]\nmode = "block"\nexempt = ["in tcp to 22", "udp 53"]\nafter-stop = "guard"\n',
        '[boot]\nafter-stop = "boot"\n',
        '[boot]\nmode = "permit"\n',
    ],
)
def test_canonical_is_what_was_written(text: str) -> None:
    assert canonical(parse(text + RULE, name="p")) == text + RULE
    assert canonical(parse(text, name="p")).startswith(text[:-1]) or 'mode = "stateful"' in canonical(
        parse(text, name="p")
    )


def test_what_says_nothing_is_not_written_but_where_it_means_something() -> None:
    assert canonical(parse('[boot]\nmode = "stateful"\n' + RULE, name="p")) == RULE.lstrip()
    assert canonical(parse('[boot]\nmode = "stateful"\n', name="p")) == '[boot]\nmode = "stateful"\n'
    assert canonical(parse("", name="p")) == ""


def test_effective_shows_every_setting() -> None:
    text = effective(parse('[boot]\nmode = "block"\n' + RULE, name="p"))
    assert parse(text, name="p") == parse('[boot]\nmode = "block"\n' + RULE, name="p")
    assert {one.name for section in boot_sections(NO_BOOT, bare=False) for one in section.settings} == {
        line.split()[0] for line in text.splitlines() if line.startswith(("mode", "exempt", "after-stop"))
    }
