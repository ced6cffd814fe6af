# SPDX-License-Identifier: Apache-2.0
from ringfence.net.address import parse_address
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.explain import parse_flow
from ringfence.policy.host import HostFacts
from ringfence.policy.lint import lint
from ringfence.policy.validate import validate
from ringfence.testing.policies import KEYS, rule_text

ME = parse_address("10.77.0.1")
DC = parse_address("10.77.0.5")
LAB = rule_text("lab", with_='"10.77.0.0/24"')


def found(text: str, *, sessions: tuple[str, ...] = (), controllers: tuple[bytes, ...] = ()) -> list[str]:
    host = HostFacts((ME,), dns_servers=(DC,), names={"www.corp.example": (parse_address("10.9.9.9"),)})
    policy = parse(text, name="p.toml")
    compiled = compile_policy(policy, host, KEYS)
    flows = [parse_flow(one)[0] for one in sessions]
    all_found = lint(policy, compiled, host, sessions=flows, controllers=controllers)
    assert set(validate(policy, compiled)) <= set(all_found)
    assert all(one.place and one.message for one in all_found)
    return list(map(str, all_found))


def test_nothing_to_say() -> None:
    assert (
        found(LAB, sessions=("out tcp 10.77.0.1:22 -> 192.0.2.7:5000",), controllers=(parse_address("10.1.1.1"),)) == []
    )


def test_what_policy_check_says_is_said() -> None:
    assert "replay-window" in found(LAB + "replay-window = 0\n")[0]


def test_a_main_mode_rule_that_decides_nothing() -> None:
    (one,) = found(LAB + '[[main-mode]]\nname = "m"\nwith = "192.0.2.0/24"\npfs = true\n')
    assert one.startswith('p.toml:5: warning: main mode rule "m" decides nothing: no connection security rule')


def test_readable_beside_encrypted() -> None:
    (one,) = found(LAB + 'protect = ["esp aes256-gcm", "ah sha256", "esp null-sha256"]\n')
    assert one.startswith('p.toml:5: warning: rule "lab" encrypts, but allows ah sha256, esp null-sha256, too')
    assert found(LAB + 'protect = ["ah sha256", "esp null-aes256-gmac"]\n') == []
    assert found(LAB + 'protect = ["esp aes256-sha256 + ah sha256"]\n') == []


def test_one_way_filters() -> None:
    web = '[[filter]]\nname = "web"\npermit = "tcp to 80"\nwith = "10.77.0.9"\nmirrored = false\n'
    (one,) = found(LAB + web)
    assert 'filter "web" permits 10.77.0.1 -> 10.77.0.9:80, tcp in one direction only, and answers are dropped' in one
    assert one.startswith("p.toml:9:")
    assert found(web) == []
    assert found(LAB.replace("auth =", 'secure = "request"\nauth =') + web) == []
    assert found(LAB + web.replace("mirrored = false\n", "")) == []
    blocked = '[[filter]]\nname = "rest"\nblock = "any"\n'
    assert 'answers are blocked by rule "rest" p.toml:6' in found(web + blocked)[0]
    assert "10.77.0.1:80 <- 10.77.0.9" in found(LAB + web.replace("mirrored", 'direction = "in"\nmirrored'))[0]


def test_ike_is_needed() -> None:
    found_some = found(LAB + '[[filter]]\nname = "no ike"\nblock = "udp from 500"\n')
    assert 'filter "no ike" blocks IKE (udp 500), without which "lab" can protect nothing' in found_some[0]
    elsewhere = '[[filter]]\nname = "no ike"\nblock = "udp from 500"\nwith = "10.88.0.0/16"\n'
    assert found(LAB + elsewhere) == []


def test_names_need_their_server() -> None:
    named = rule_text("www", with_='"www.corp.example"')
    assert found(named) == []
    (one,) = found(named + LAB)
    assert 'rule "lab" requires security for DNS with the DNS server 10.77.0.5, needed to know what' in one
    assert (
        found(named + LAB + '[[filter]]\nname = "dns"\npermit = ["udp to 53", "tcp to 53"]\nwith = "10.77.0.5"\n') == []
    )


def test_the_domain_controller_is_needed() -> None:
    (one,) = found(LAB, controllers=(DC,))
    assert 'rule "lab" requires security for Kerberos, LDAP, DNS with the domain controller 10.77.0.5' in one
    cure = one.splitlines()[1]
    exempt = '[[filter]]\nname = "dc"\n' + cure.removeprefix("[[filter]]  ").replace("  with", "\nwith") + "\n"
    assert found(LAB + exempt, controllers=(DC,)) == []
    blocks = found('[[filter]]\nname = "no"\nblock = "udp to 88"\n', controllers=(DC,))
    assert 'filter "no" blocks Kerberos with' in blocks[0]
    assert found(LAB.replace("auth =", 'secure = "request"\nauth ='), controllers=(DC,)) == []


def test_your_own_session() -> None:
    (one,) = found(LAB, sessions=("out tcp 10.77.0.1:22 -> 10.77.0.7:5000",))
    assert 'rule "lab" ends your own session unless IPsec works with its other end: a connection with 10.77.0.7' in one
    block = '[[filter]]\nname = "no ssh"\nblock = "tcp from 22"\n'
    assert (
        'filter "no ssh" ends your own session: '
        in found(block, sessions=("out tcp 10.77.0.1:22 -> 10.77.0.7:5000",))[0]
    )
