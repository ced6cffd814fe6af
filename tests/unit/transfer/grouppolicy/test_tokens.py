# SPDX-License-Identifier: Apache-2.0
"""The keys of rules against the lists of [MS-GPFAS] §2.2.2.19, §2.2.4.17, §2.2.6.2 and §2.2.7.1."""

from ringfence.transfer.grouppolicy import tokens

FIREWALL = """
Action Dir Profile Protocol LPort RPort LPort2_10 RPort2_10 Security Security2_9 Security2 IF IFType App Svc LA4 RA4 LA6
RA6 Name Desc EmbedCtxt Edge Defer LSM Active ICMP4 ICMP6 Platform RMAuth RUAuth AuthByPassOut SkipVer LOM Platform2
PCross LUAuth RA42 RA62 LUOwn AppPkgId LPort2_20 TTK TTK2_22 TTK2_27 TTK2_28 LUAuth2_24 NNm SecurityRealmId
"""
CONSEC = """
Action Profile Protocol EP1Port EP2Port EP1Port2_10 EP2Port2_10 IF IFType Auth1Set Auth2Set Crypto2Set EP1_4 EP2_4 EP1_6
EP2_6 Name Desc EmbedCtxt Active Platform SkipVer Platform2 SecureInClearOut ByPassTunnel Authz RTunnel4 RTunnel6
LTunnel4 LTunnel6 RTunnel4_2 RTunnel6_2 LTunnel4_2 LTunnel6_2 RTunnelFqdn RTunEndpts4 RTunEndpts6 KeyMod
KeyManagerDictate KeyManagerNotify FwdLifetime TransportMachineAuthzSDDL TransportUserAuthzSDDL SecurityRealmEnabled
"""
MAIN_MODE = "Profile Auth1Set Crypto1Set EP1_4 EP2_4 EP1_6 EP2_6 Name Desc EmbedCtxt Active Platform SkipVer Platform2"
CRITERIA = "CriteriaType NameType Name Eku Hash FollowRenewal"
MANY = """
Profile LPort RPort LPort2_10 RPort2_10 IF IFType LA4 RA4 LA6 RA6 ICMP4 ICMP6 Platform RA42 RA62 LPort2_20 TTK TTK2_22
TTK2_27 TTK2_28 EP1Port EP2Port EP1Port2_10 EP2Port2_10 EP1_4 EP2_4 EP1_6 EP2_6 RTunEndpts4 RTunEndpts6 KeyMod Eku
"""


def test_every_key_of_the_specification_is_known() -> None:
    for known, words in (
        (tokens.FIREWALL, FIREWALL),
        (tokens.CONSEC, CONSEC),
        (tokens.MAIN_MODE, MAIN_MODE),
        (tokens.CRITERIA, CRITERIA),
    ):
        assert {one.name for one in known.values()} == set(words.split())


def test_those_that_may_stand_several_times() -> None:
    known = (tokens.FIREWALL, tokens.CONSEC, tokens.MAIN_MODE, tokens.CRITERIA)
    assert {one.name for table in known for one in table.values() if one.many} == set(MANY.split())
