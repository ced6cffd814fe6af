# SPDX-License-Identifier: Apache-2.0
"""``netsh ipsec dynamic set config``: the boot mode and its exemptions, from and to ``[boot]``.

Windows writes an exemption as ``PROTOCOL:SOURCE PORT:DESTINATION PORT:DIRECTION``, with 0 for any port, and several of
them in quotes. Its own for DHCP always holds here.
"""

from collections.abc import Iterator

from ringfence.databases.boot import AfterStop, BootMode
from ringfence.databases.spd import Direction
from ringfence.net.address import ANY_PORT, PortRange
from ringfence.net.flow import ICMP, TCP, UDP
from ringfence.policy.boot import NO_BOOT, BootSettings, Exemption
from ringfence.policy.errors import BadWord
from ringfence.policy.traffic import WITH_PORTS, Traffic
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.writing import Script, quote

PROTOCOLS = {"tcp": TCP, "udp": UDP, "icmp": ICMP}
DIRECTIONS = {"inbound": Direction.IN, "outbound": Direction.OUT}
CONFIG = "ipsec dynamic set config"
CURE = 'It is such as "TCP:0:3389:inbound UDP:0:53:outbound".'


def read_mode(value: str) -> BootMode:
    """The boot mode; raises Refused."""
    found = next((mode for mode in BootMode if mode.value == value), None)
    if found is None:
        raise Refused(f'bootmode is "{value}", but has to be stateful, block or permit')
    return found


def read_exemptions(value: str) -> tuple[Exemption, ...]:
    """The exemptions; raises Refused."""
    if value in ("none", ""):
        return ()
    return tuple(dict.fromkeys(map(_read, value.split())))


def _read(word: str) -> Exemption:
    parts = word.split(":")
    if len(parts) != 4 or parts[3] not in DIRECTIONS:
        raise Refused(f'the exemption "{word}" is not understood', CURE)
    protocol = PROTOCOLS.get(parts[0], _number(parts[0], 255))
    ports = [_number(one, 65535) for one in parts[1:3]]
    if protocol is None or None in ports or (protocol not in WITH_PORTS and any(ports)):
        raise Refused(f'the exemption "{word}" is not understood', CURE)
    sender, receiver = (PortRange.one(one) if one else ANY_PORT for one in ports)
    return Exemption(Traffic(protocol, sender, receiver), DIRECTIONS[parts[3]])


def _number(word: str, last: int) -> int | None:
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 6 and int(word) <= last else None


def write_boot(boot: BootSettings, script: Script) -> None:
    """The settings that are not the default, as far as netsh has them."""
    if boot.mode is not NO_BOOT.mode:
        script.say(CONFIG, [("property", "bootmode"), ("value", boot.mode.value)])
    words: list[str] = []
    for one in boot.exempt:
        try:
            words += _words(one)
        except BadWord as error:
            script.leave_out(boot.places.get("exempt", boot.place), f'[boot] exempt "{one}"', error.why)
    if words:
        script.say(CONFIG, [("property", "bootexemptions"), ("value", quote(" ".join(words)))])
    if boot.after_stop is not AfterStop.OPEN:
        why = "Windows decides itself what holds when its service stops"
        script.leave_out(boot.places.get("after-stop", boot.place), "[boot] after-stop", why)


def _words(one: Exemption) -> Iterator[str]:
    traffic = one.traffic
    if traffic.protocol in PROTOCOLS.values():
        protocol = next(word.upper() for word, number in PROTOCOLS.items() if number == traffic.protocol)
    else:
        protocol = str(traffic.protocol)
    for sender, receiver in traffic.outward():
        if any(not ports.is_any and (ports.first != ports.last or traffic.protocol not in WITH_PORTS)
               for ports in (sender, receiver)):  # fmt: skip
            raise BadWord("netsh has single ports here, and no types of ICMP")
        source, destination = (0 if ports.is_any else ports.first for ports in (sender, receiver))
        for word, direction in DIRECTIONS.items():
            if direction in one.begins:
                yield f"{protocol}:{source}:{destination}:{word}"
