# SPDX-License-Identifier: Apache-2.0
"""docs/howto/post-quantum.md: its policy holds, and means what the page says."""

import re
from pathlib import Path

import pytest

from ringfence.databases.pad import Ppk
from ringfence.databases.spd import Action
from ringfence.ike.errors import Reason
from ringfence.net.address import parse_address
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.methods import FURTHER_WORDS
from ringfence.secret import Secret

PAGE = (Path(__file__).parents[2] / "docs/howto/post-quantum.md").read_text()
DOCUMENT, WITH_PPK = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


KEYS = {"servers.key": Secret(b"k"), "q1.ppk": Secret(b"q")}


def compiled(text):
    policy = parse(text, name="howto")
    return compile_policy(policy, HostFacts(frozenset({parse_address("10.0.0.1")})), KEYS)


def test_the_policy_offers_more_than_one_key_exchange():
    (peer,) = compiled(DOCUMENT).pad
    assert [str(each) for each in peer.proposals] == ["aes256-sha384-x25519+mlkem768", "aes256-sha256-x25519"]
    assert peer.keying == (2,)


def test_pfs_is_as_the_page_says():
    for methods, wanted in (
        ('["aes256-sha384-x25519+mlkem768", "aes256-sha256-x25519"]', (31,)),
        ('["aes256-sha384-x25519+mlkem768"]', (31, 36)),
    ):
        text = re.sub(r"main-mode = .*", f"main-mode = {{ methods = {methods} }}\npfs = true", DOCUMENT)
        entries = [each for each in compiled(text).spd if each.action is Action.PROTECT]
        assert {tuple(one.value for one in each.processing.exchanges) for each in entries} == {wanted}


def test_every_mechanism_is_named():
    assert all(word in PAGE for word in FURTHER_WORDS if word.startswith("mlkem"))


def test_a_postquantum_key_is_insisted_on_unless_the_page_says_otherwise():
    (peer,) = compiled(WITH_PPK).pad
    assert peer.ppk == Ppk("q1", KEYS["q1.ppk"])
    (peer,) = compiled(WITH_PPK.replace('"q1.ppk" }', '"q1.ppk", required = false }')).pad
    assert not peer.ppk.required


@pytest.mark.parametrize("reason", re.findall(r"\(`([a-z-]+)`\)", PAGE))
def test_every_reason_that_it_names_is_one(reason):
    assert reason in {one.value for one in Reason}
