# SPDX-License-Identifier: Apache-2.0
"""Global settings of ``netsh advfirewall``."""

import pytest

from ringfence.policy.terms import Access, CrlCheck, Exempt, GlobalSettings, ThroughNat
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.globals import change_settings
from ringfence.transfer.netsh.session import Session
from ringfence.transfer.netsh.words import cut


def after(*lines: str) -> GlobalSettings:
    settings = GlobalSettings()
    for line in lines:
        settings = change_settings(Session(), settings, cut(line))
    return settings


def test_settings_of_ipsec() -> None:
    found = after("ipsec strongcrlcheck 2", "ipsec saidletimemin 60", "ipsec defaultexemptions none",
                  "ipsec ipsecthroughnat serverbehindnat")  # fmt: skip
    assert (found.crl_check, found.idle_s, found.exempt, found.through_nat) == (
        CrlCheck.STRICT, 3600, (), ThroughNat.SERVER,
    )  # fmt: skip
    unset = after("ipsec saidletimemin 60", "ipsec saidletimemin notconfigured", "ipsec defaultexemptions icmp",
                  "ipsec strongcrlcheck 1", "ipsec strongcrlcheck notconfigured")  # fmt: skip
    assert (unset.idle_s, unset.exempt, unset.crl_check) == (300, (Exempt.ICMP,), CrlCheck.NONE)
    assert after("ipsec defaultexemptions notconfigured").exempt == GlobalSettings().exempt


def test_who_may_use_tunnels() -> None:
    found = after('ipsec authzcomputergrp "D:(A;;CC;;;S-1-5-21-1)(D;;CC;;;S-1-5-21-2)"',
                  "ipsec authzusergrp D:(A;;CC;;;S-1-5-21-3)",
                  "ipsec authzusergrptransport D:(A;;CC;;;S-1-5-21-4)")  # fmt: skip
    assert found.tunnel_allow == Access(("S-1-5-21-1",), ("S-1-5-21-3",))
    assert found.tunnel_deny == Access(("S-1-5-21-2",))
    assert found.transport_allow == Access((), ("S-1-5-21-4",))
    none = after("ipsec authzusergrp D:(A;;CC;;;S-1-5-21-3)", "ipsec authzusergrp none")
    assert not none.tunnel_allow


def test_main_mode() -> None:
    found = after(
        "mainmode mmsecmethods dhgroup2:aes128-sha1", "mainmode mmkeylifetime 60min,1sess", "mainmode mmforcedh yes"
    )
    assert found.main_mode is not None
    assert (found.main_mode.lifetime_s, found.main_mode.sessions, found.main_mode.force_dh) == (3600, 1, True)
    assert found.legacy


@pytest.mark.parametrize(
    "line",
    ["", "statefulftp enable", "mainmode x y", "ipsec x 1", "ipsec strongcrlcheck 3", "ipsec saidletimemin 4",
     "ipsec saidletimemin x", "ipsec defaultexemptions x", "ipsec defaultexemptions", "ipsec ipsecthroughnat x",
     "ipsec authzusergrp x"],
)  # fmt: skip
def test_refused(line: str) -> None:
    with pytest.raises(Refused):
        after(line)
