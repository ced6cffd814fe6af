# SPDX-License-Identifier: Apache-2.0
"""What holds for the whole computer."""

import pytest

from ringfence.policy.terms import Access, CrlCheck, Exempt, GlobalSettings, Kerberos, PskEncoding, ThroughNat
from ringfence.transfer.base import Imported
from ringfence.transfer.powershell.importing import read_script
from ringfence.transfer.powershell.settings import with_kerberos


def read(text: str) -> Imported:
    return read_script(text, "x.ps1")


def test_choices() -> None:
    found = read(
        "Set-NetFirewallSetting -Exemptions Icmp,dhcp -CertValidationLevel RequireCrlCheck -KeyEncoding UTF16 "
        "-AllowIPsecThroughNAT None -MaxSAIdleTimeSeconds 3600"
    )
    assert found.policy.settings == GlobalSettings(
        exempt=(Exempt.ICMP, Exempt.DHCP), crl_check=CrlCheck.STRICT, psk_encoding=PskEncoding.UTF16,
        through_nat=ThroughNat.NEVER, idle_s=3600,
    )  # fmt: skip
    assert not found.left_out


def test_what_is_not_configured_is_as_it_was() -> None:
    names = ("Exemptions", "KeyEncoding", "CertValidationLevel", "EnableStatefulFtp")
    found = read("Set-NetFirewallSetting " + " ".join(f"-{name} NotConfigured" for name in names))
    assert found.policy.settings == GlobalSettings()
    assert not found.notes


def test_nothing_is_exempt() -> None:
    assert read("Set-NetFirewallSetting -Exemptions None").policy.settings.exempt == ()


def test_authorization() -> None:
    found = read(
        "Set-NetFirewallSetting -RemoteUserTunnelAuthorizationList 'D:(A;;CC;;;S-1-5-21-7)' "
        "-RemoteMachineTransportAuthorizationList None -RemoteUserTransportAuthorizationList nonsense"
    )
    assert found.policy.settings == GlobalSettings(tunnel_allow=Access(users=("S-1-5-21-7",)))
    assert [one.words for one in found.left_out] == ["transport authorization"]


@pytest.mark.parametrize(
    ("text", "local", "left"),
    [
        ("Set-NetFirewallProfile -All -AllowLocalIPsecRules False", False, 0),
        ("Set-NetFirewallProfile -Profile Domain -AllowLocalIPsecRules False", True, 1),
        ("Set-NetFirewallProfile -AllowLocalIPsecRules True", True, 0),
        ("Set-NetFirewallProfile -Enabled True -LogAllowed True", True, 1),
    ],
)
def test_profiles(text: str, local: bool, left: int) -> None:
    found = read(text)
    assert (found.policy.settings.local_rules, len(found.left_out)) == (local, left)


def test_what_is_out_of_range_or_not_kept() -> None:
    found = read(
        "Set-NetFirewallSetting -MaxSAIdleTimeSeconds 5 -EnablePacketQueuing Inbound -RequireFullAuthSupport True"
    )
    assert [one.words for one in found.left_out] == ["-MaxSAIdleTimeSeconds 5"]
    assert [one.words for one in found.notes] == ["-EnablePacketQueuing", "-RequireFullAuthSupport"]


def test_default_sets() -> None:
    found = read(
        "$k = New-NetIPsecAuthProposal -Machine -Kerberos; $u = New-NetIPsecAuthProposal -User -Kerberos\n"
        "New-NetIPsecPhase2AuthSet -DisplayName U -Default -Proposal $u\n"
        "$m = New-NetIPsecMainModeCryptoProposal -KeyExchange DH14\n"
        "New-NetIPsecMainModeCryptoSet -DisplayName M -Default -Proposal $m"
    ).policy.settings
    assert (len(found.second_auth), found.auth_set, found.main_mode_crypto) == (1, "", "M")
    gone = read(
        "New-NetIPsecPhase1AuthSet -DisplayName X -Default -Proposal (New-NetIPsecAuthProposal -User -Kerberos)"
    )
    assert gone.left_out[-1].words == "a default set"


def test_kerberos() -> None:
    assert with_kerberos(GlobalSettings()).auth == (Kerberos(),)
