# SPDX-License-Identifier: Apache-2.0
"""``[policy]``, ``[filter-list]`` and ``[filter-action]``: what each setting means, and who got one wrong."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.net.address import parse_address
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.gateways import Gateways
from ringfence.policy.ipsec import SETTINGS
from ringfence.policy.model import Certificate, Kerberos, Policy, PskFile
from ringfence.policy.scope import Connection
from ringfence.policy.windows import DefaultExempt, FilterAction, Response

WHOLE = """\
[policy]
name              = "Secure Server"
description       = "for the database"
poll-interval     = "60 min"
auth              = { psk-file = "lab.psk" }
no-default-exempt = 1
legacy            = true

[policy.main-mode]
lifetime = "240 min"
sessions = 5
pfs      = true
methods  = ["aes256-sha384-ecp384", "3des-sha1-modp1024"]

[[policy.rule]]
filter-list   = "All IP Traffic"
filter-action = "mine"
auth          = ["kerberos", { certificate = "CN=Corp Root CA" }, { psk-file = "lab.psk" }]
connection    = "lan"

[[policy.rule]]
name          = "the branch"
description   = "over the internet"
filter-list   = "branch"
filter-action = "mine"
tunnel        = { local = "192.0.2.1", remote = "198.51.100.7" }
enabled       = false

[filter-list.branch]
description = "both networks"
filters = [
    "10.1.0.0/16 <-> 10.2.0.0/16",
    { filter = "me <-> 10.2.0.0/16", description = "and the gateway" },
]

[filter-action.mine]
negotiate         = ["esp aes256gcm", "esp aes128-sha256 every 900 s or 100000 KB", "ah sha256 every 300 s"]
lifetime          = { time = "1 h", data = "100 MB" }
accept-unsecured  = true
fallback-to-clear = true
pfs               = "ecp384"
description       = "mine"
"""


def policy(text: str) -> Policy:
    return parse(text, name="policy.toml")


def action(settings: str) -> FilterAction:
    (found,) = policy(f'[filter-action."a"]\n{settings}\n').filter_actions
    return found


def mistakes(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        policy(text)
    return str(caught.value)


def test_every_setting() -> None:
    found = policy(WHOLE)
    general = found.ipsec
    assert general is not None
    assert (general.title, general.description, general.poll_interval_s) == ("Secure Server", "for the database", 3600)
    assert (general.auth, general.exempt, general.legacy) == ((PskFile("lab.psk"),), DefaultExempt.MULTICAST, True)
    mode = general.main_mode
    assert (mode.lifetime_s, mode.sessions, mode.pfs) == (14_400, 5, True)
    assert list(map(str, mode.methods)) == ["aes256-sha384-ecp384", "3des-sha1-modp1024"]
    first, second = general.rules
    assert first.title == "All IP Traffic: mine"
    assert first.auth == (Kerberos(), Certificate("CN=Corp Root CA"), PskFile("lab.psk"))
    assert (first.connection, first.tunnel, first.enabled) == (Connection.LAN, None, True)
    assert (second.title, second.enabled, second.auth) == ("the branch", False, ())
    assert second.tunnel == Gateways(parse_address("198.51.100.7"), parse_address("192.0.2.1"))
    (listed,) = found.filter_lists
    assert [one.description for one in listed.filters] == ["", "and the gateway"]
    (does,) = found.filter_actions
    assert [(str(one), one.limits) for one in does.methods] == [
        ("esp aes256-gcm", Limits(3600, 100 << 20)),
        ("esp aes128-sha256", Limits(900, 100_000 << 10)),
        ("ah sha256", Limits(300)),
    ]
    assert (does.accept_unsecured, does.fallback_to_clear, does.pfs) == (True, True, DhGroup.ECP_384)
    assert [one.place.line for one in (general, first, second, listed, does)] == [1, 15, 21, 29, 36]
    assert found.key_files == ("lab.psk",)


def test_a_default_policy_in_three_lines() -> None:
    found = policy('[policy]\nbased-on = "secure server (require security)"\nauth = { psk-file = "k" }\n').ipsec
    assert found is not None
    assert found.title == "Secure Server (Require Security)"
    assert [rule.filter_list for rule in found.rules] == ["All IP Traffic", "All ICMP Traffic", "<Dynamic>"]


def several(*assigned: str) -> str:
    """Two policies, with what each says of being assigned."""
    return "".join(
        f'[policy."{name}"]\nbased-on = "Client (Respond Only)"\n{one}\n'
        for name, one in zip(("A", "B"), assigned, strict=True)
    )


def test_several_policies_of_which_one_is_assigned() -> None:
    found = parse(several("", "assigned = true"), name="p")
    assert found.ipsec is not None
    assert (found.ipsec.name, [one.name for one in found.unassigned]) == ("B", ["A"])
    assert [one.name for one in found.ipsec_policies] == ["B", "A"]
    none = parse(several("", "assigned = false") + "[policy.C]\n", name="p")
    assert (none.ipsec, len(none.unassigned)) == (None, 3), "an empty one may be there, as long as nobody follows it"
    alone = parse('[policy]\nassigned = false\nbased-on = "Client (Respond Only)"\n', name="p")
    assert (alone.ipsec, len(alone.unassigned)) == (None, 1)


def test_what_a_policy_may_say_is_no_name_of_one() -> None:
    assert set(SETTINGS) == {*settings_here()}


def settings_here() -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse('[policy]\nname = "x"\nqqqqqqqqqqqqqqq = 1\n', name="p")
    cure = next(one.cure for one in caught.value.findings if "qqqq" in one.setting)
    return cure.removeprefix("The settings here are ").rstrip(".").split(", ")


def test_windows_words_for_methods_of_choice() -> None:
    both = action('negotiate = ["Integrity and encryption", "integrity only every 600 s"]')
    assert list(map(str, both.methods)) == [
        "esp aes256-gcm", "esp aes128-gcm", "esp aes256-sha256", "esp null-sha256", "esp null-sha1",
    ]  # fmt: skip
    assert [one.limits.seconds for one in both.methods] == [3600, 3600, 3600, 600, 600]


def test_what_an_action_may_leave_out() -> None:
    assert action('action = "block"').response is Response.BLOCK
    assert action('action = "permit"').methods == ()
    plain = action('action = "negotiate"')
    assert list(map(str, plain.methods)) == ["esp aes256-gcm", "esp aes128-gcm", "esp aes256-sha256"]
    assert (plain.accept_unsecured, plain.fallback_to_clear, plain.pfs) == (False, False, False)
    assert action('negotiate = "esp aes256-gcm"\npfs = true').pfs is True


RULE = '[policy]\n[[policy.rule]]\nfilter-list = "All IP Traffic"\nfilter-action = "Permit"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[policy]\nbased-on = "Server"\n', 'policy: based-on is "Server", which is none of the default policies'),
        ('[policy]\npoll-interval = "5 s"\n', "poll-interval is out of range"),
        ('[policy]\npoll-interval = "5"\n', "which has no unit"),
        ("[policy]\nno-default-exempt = 4\n", "no-default-exempt is 4, but has to lie between 0 and 3"),
        ('[policy.main-mode]\nmethods = ["des-md5-modp768"]\n', "main-mode.methods names des, md5, modp768, too weak"),
        ('[policy]\npoll = "5 min"\n', 'there is no setting "poll"'),
        ("[policy]\nrule = 5\n", "rule has to be written with double brackets"),
        ("[[policy.rule]]\n", "policy, rule number 1: names no filter-list"),
        (RULE + 'tunnel = "gw.corp"\n', 'tunnel is "gw.corp", which is a name and not an IP address'),
        (RULE + "tunnel = { }\n", "tunnel does not say where its remote end is"),
        (RULE + 'tunnel = { local = "fd00::1", remote = "10.0.0.1" }\n', "tunnel has ends of different families"),
        (RULE + 'connection = "wifi"\n', 'but has to be "all", "lan" or "remote-access"'),
        (RULE + "active = true\n", "active is known but not supported yet"),
        (several("assigned = true", "assigned = true"), 'policy "B": assigned is true, but "A" is assigned in line 1'),
        (several("assigned = 1", ""), 'policy "A": assigned is 1, but has to be true or false'),
        (several('name = "A"', ""), 'policy "A": name has no use here: the policy is called "A"'),
        ('[policy]\nname = "A"\n[policy."B"]\n', "B is a table beside a policy that is written as the only one"),
        ('[policy]\nname = "A"\n[policy.main-mod]\n', 'there is no setting "main-mod"'),
        ("[policy.A]\nassigned = true\n", 'policy "A": has no rule'),
        (
            several("", "") + '[[policy."A".rule]]\nfilter-list = "x"\nfilter-action = "Block"\n',
            'policy "A", rule "x: Block": filter-list is "x", and there is no such filter list',
        ),
        ('[filter-list.a]\nfilters = "me <-> any"\n', "filters has no list of filters"),
        ("[filter-list.a]\nfilters = []\n", "filters has no filters"),
        ('[filter-list.a]\nfilters = ["me <> any"]\n', 'filters[1] is "me <> any", which is not understood'),
        ("[filter-list.a]\nfilters = [7]\n", "filters[1] is 7, but has to be a text or a table"),
        ('[filter-list.a]\nfilters = [{ description = "x" }]\n', "does not say its filter"),
        ("[filter-action.a]\n", 'filter action "a": does not say what happens'),
        ('[filter-action.a]\naction = "drop"\n', 'but has to be "permit", "block" or "negotiate"'),
        (
            '[filter-action.a]\naction = "permit"\nnegotiate = ["ah sha256"]\n',
            "negotiate has no use where the action",
        ),
        ('[filter-action.a]\naction = "block"\npfs = true\n', 'pfs has no use where the action is "block"'),
        ('[filter-action.a]\nnegotiate = ["esp 3des-sha1"]\n', "negotiate names 3des, too weak"),
        ('[filter-action.a]\nnegotiate = "ah sha1"\npfs = "modp768"\n', "names modp768, too weak"),
        ('[filter-action.a]\nnegotiate = ["esp aes256-gcm every 1 s"]\n', "but its lifetime needs a time"),
        ('[filter-action.a]\nnegotiate = ["esp aes256-gcm every 1 MB"]\n', "but its lifetime needs a time"),
        ('[filter-action.a]\nnegotiate = ["esp aes256-gcm every soon"]\n', "which is not an amount"),
        ('[filter-action.a]\nnegotiate = ["esp null"]\n', "but ESP has no suite"),
        ('[filter-action.a]\nnegotiate = ["ah sha256 + esp aes256-gcm"]\n', "but a method is ESP, AH, or ESP with AH"),
    ],
)
def test_mistakes(text: str, sentence: str) -> None:
    said = mistakes(text)
    assert sentence in said.replace(":  ", ": ")
    assert said.startswith("policy.toml:"), "each mistake has its line"
