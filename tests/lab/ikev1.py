# SPDX-License-Identifier: Apache-2.0
"""One contract between Ringfence and an IKEv1 peer of the lab: both sides' settings from one set of parameters."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from lab.guest import OURS, THEIRS, Peer
from lab.product import Product, running, until

INNER_OURS, INNER_THEIRS = "10.78.1.1", "10.77.102.1"
NET_OURS, NET_THEIRS = "10.78.1.0/24", "10.77.102.0/24"
PEERS = ("strongswan", "libreswan")
US, THEM = "we begin", "they begin"


@dataclass(frozen=True)
class Scenario:
    """Both sides' settings for one contract."""

    peer: str
    mode: str = "transport"
    protect: str = "esp aes256-gcm"
    begins: str = US
    pfs: str = ""
    main_mode: str = "aes256-sha256-modp2048"
    lifetime: str = "60 min"
    main_mode_lifetime: str = "480 min"
    version: int = 1
    """Of IKE."""
    aggressive: bool = False

    def __str__(self) -> str:
        words = [self.peer, self.protect, self.mode, self.begins]
        return ", ".join([*words, *([f"pfs {self.pfs}"] if self.pfs else [])])

    @property
    def policy(self) -> str:
        """Ours."""
        ends = f'with = "{THEIRS[0]}"'
        if self.mode == "tunnel":
            ends = (
                f'local = {{ networks = ["{NET_OURS}"], gateway = "{OURS[0]}" }}\n'
                f'remote = {{ networks = ["{NET_THEIRS}"], gateway = "{THEIRS[0]}" }}'
            )
        return f"""
            [[rule]]
            name = "peer"
            {ends}
            secure = "require"
            auth = {{ psk-file = "lab.psk" }}
            protect = ["{self.protect}"]
            keying = ["ikev{self.version}"]
            lifetime = "{self.lifetime}"
            main-mode.methods = ["{self.main_mode}"]
            main-mode.lifetime = "{self.main_mode_lifetime}"
            main-mode.aggressive = {str(self.aggressive).lower()}
            legacy = {"true" if "3des" in self.protect + self.main_mode else "false"}
            {f'pfs = "{self.pfs}"' if self.pfs else ""}
        """

    @property
    def settings(self) -> dict[str, object]:
        """The peer's."""
        protocol, _, suite = self.protect.partition(" ")
        words: dict[str, object] = {"MODE": self.mode, "PROTO": protocol, "PFS": self.pfs, "VERSION": self.version}
        words["CHILD"] = CHILD[self.peer.rstrip("56")][suite.removesuffix(" esn")]
        words["IKE"] = IKE[self.peer.rstrip("56")][self.main_mode]
        words["AGGRESSIVE"] = "yes" if self.aggressive else "no"
        if suite.endswith(" esn"):
            words["ESN"] = "yes"
        if self.mode == "tunnel":
            words |= {"LOCAL_TS": NET_THEIRS, "REMOTE_TS": NET_OURS}
        return words

    @property
    def ends(self) -> tuple[str, str]:
        """The addresses that talk: ours, theirs."""
        return (INNER_OURS, INNER_THEIRS) if self.mode == "tunnel" else (OURS[0], THEIRS[0])


CHILD = {
    "strongswan": {
        "aes256-gcm": "aes256gcm128", "aes128-gcm": "aes128gcm128", "aes256-sha256": "aes256-sha256",
        "aes128-sha1": "aes128-sha1", "aes128-sha512": "aes128-sha512", "aes256-ccm": "aes256ccm128",
        "null-sha256": "null-sha256", "sha256": "sha256", "sha1": "sha1", "sha512": "sha512",
        "aes256-ctr-sha384": "aes256ctr-sha384",
        "aes128-aes-xcbc": "aes128-aesxcbc", "null-aes256-gmac": "aes256gmac", "3des-sha1": "3des-sha1",
    },
    "libreswan": {
        "aes256-gcm": "aes_gcm256-null", "aes128-gcm": "aes_gcm128-null", "aes256-sha256": "aes256-sha2_256",
        "aes128-sha1": "aes128-sha1", "aes128-sha512": "aes128-sha2_512", "aes256-ccm": "aes_ccm256-null",
        "null-sha256": "null-sha2_256", "sha256": "sha2_256", "sha1": "sha1", "sha512": "sha2_512",
        "3des-sha1": "3des-sha1", "aes128-aes-xcbc": "aes128-aes_xcbc",
    },
    "openiked": {
        "aes128-sha1": "childsa enc aes-128 auth hmac-sha1 noesn",
        "aes256-sha1": "childsa enc aes-256 auth hmac-sha1 noesn",
    },
}  # fmt: skip
"""Our words for what protects traffic -> each peer's."""

IKE = {
    "strongswan": {
        "aes256-sha256-modp2048": "aes256-sha256-modp2048", "aes128-sha1-modp2048": "aes128-sha1-modp2048",
        "aes256-sha384-ecp384": "aes256-sha384-ecp384", "aes128-sha256-ecp256": "aes128-sha256-ecp256",
        "aes256-sha512-ecp521": "aes256-sha512-ecp521", "aes256-sha256-x25519": "aes256-sha256-x25519",
        "aes192-sha256-modp4096": "aes192-sha256-modp4096", "3des-sha1-modp1024": "3des-sha1-modp1024",
        "aes256-sha256-modp3072": "aes256-sha256-modp3072",
        "aes256-gcm-sha384-ecp384": "aes256gcm16-prfsha384-ecp384",
        "aes256-sha256-x25519+mlkem768": "aes256-sha256-x25519-ke1_mlkem768",
        "aes256-sha384-ecp384+mlkem1024": "aes256-sha384-ecp384-ke1_mlkem1024",
        "aes256-sha256-x25519+ecp256+mlkem768": "aes256-sha256-x25519-ke1_ecp256-ke2_mlkem768",
    },
    "libreswan": {
        "aes256-sha256-modp2048": "aes256-sha2_256;modp2048", "aes128-sha1-modp2048": "aes128-sha1;modp2048",
        "aes256-sha384-ecp384": "aes256-sha2_384;dh20", "aes128-sha256-ecp256": "aes128-sha2_256;dh19",
        "aes256-sha512-ecp521": "aes256-sha2_512;dh21", "aes192-sha256-modp4096": "aes192-sha2_256;modp4096",
        "aes256-sha256-modp3072": "aes256-sha2_256;modp3072",
        "aes256-gcm-sha384-ecp384": "aes_gcm256-sha2_384;dh20",
    },
    "openiked": {
        "aes256-sha256-modp2048": "ikesa enc aes-256 prf hmac-sha2-256 auth hmac-sha2-256 group modp2048",
        "aes256-sha384-ecp384": "ikesa enc aes-256 prf hmac-sha2-384 auth hmac-sha2-384 group ecp384",
        "aes256-sha256-x25519": "ikesa enc aes-256 prf hmac-sha2-256 auth hmac-sha2-256 group curve25519",
    },
}  # fmt: skip


TOLERATED = {"XfrmAcquireError", "XfrmInTmplMismatch", "XfrmInNoStates"}
"""What a peer's kernel counts while its daemon makes SAs, or takes them away: it had a policy, but no SA."""


@contextmanager
def both(
    peer: Peer, scenario: Scenario, *, policy: str = "", keys: Mapping[str, str] | None = None, **settings: object
):  # fmt: skip
    """The peer's daemon and Ringfence, both ready to begin; with another policy of ours, and more keys, if need be."""
    peer.up(**{**scenario.settings, **settings})
    if scenario.mode == "tunnel":
        peer.run("ip", "address", "replace", f"{INNER_THEIRS}/32", "dev", "lo")
        peer.run("ip", "route", "replace", NET_OURS, "via", OURS[0], "src", INNER_THEIRS)
        peer.outside("ip", "address", "replace", f"{INNER_OURS}/32", "dev", "lo")
    before = peer.xfrm_errors()
    try:
        with running(peer.netns, policy or scenario.policy, keys=keys) as product:
            yield product
        assert {name for name, _ in peer.xfrm_errors().items() - before.items()} <= TOLERATED
    except BaseException:
        print(peer.log()[-6000:])
        raise
    finally:
        if scenario.mode == "tunnel":
            peer.outside("ip", "address", "delete", f"{INNER_OURS}/32", "dev", "lo", check=False)


def agreed(peer: Peer, product: Product) -> bool:
    """Whether the peer has the SAs of our newest quick mode."""
    newest = product.quick_modes[-1:]
    return bool(newest) and {*newest[0].spi_in, *newest[0].spi_out} <= {*peer.states()}


def begin(peer: Peer, product: Product, scenario: Scenario) -> None:
    """Let the side that the scenario names make the contract, and see that traffic has it."""
    ours, theirs = scenario.ends
    if scenario.begins is THEM:
        peer.initiate()
    # The first packet makes us negotiate, and waits for the SAs. We then send it at once; a guest that still loads its
    # algorithms may lose it.
    until(lambda: peer.outside("ping", "-c", 1, "-W", 1, "-I", ours, theirs, check=False).count("bytes from"))
    until(lambda: agreed(peer, product), why="both sides have the same SAs")


def lost(said: str) -> list[int]:
    """The numbers of the packets that ping had no answer for; the last does not count.

    For the answer to its last packet ping waits two round trips only, whatever ``-W`` says; a busy host may take more.
    """
    found = re.search(r"(\d+) packets transmitted", said)
    assert found, said
    assert "DUP!" not in said
    return sorted({*range(1, int(found[1]))} - {*_counted_on(re.findall(r"icmp_seq=(\d+)", said))})


def _counted_on(numbers: list[str]) -> Iterator[int]:
    """The numbers of packets, of which ping shows the last 16 bits."""
    last = 0
    for one in numbers:
        last += (int(one) - last + 0x8000) % 0x10000 - 0x8000
        yield last


class Pings:
    """Numbered packets, answered, that go on while something happens; all must arrive."""

    def __init__(self, peer: Peer, scenario: Scenario, seconds: float, *words: object) -> None:
        ours, theirs = scenario.ends
        count, pause = int(seconds * 50) + 1, 0.02
        command = [
            "ip",
            "netns",
            "exec",
            peer.netns,
            "ping",
            "-c",
            count,
            "-i",
            pause,
            "-W",
            3,
            "-I",
            ours,
            *words,
            theirs,
        ]
        self._process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True)

    def finish(self) -> str:
        """Wait for the end, and hold that nothing was lost."""
        said, _ = self._process.communicate(timeout=600)
        missing = lost(said)
        assert not missing, f"lost {len(missing)}: {missing[:50]}"
        return said
