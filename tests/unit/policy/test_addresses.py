# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.net.address import AddressRange
from ringfence.policy.addresses import families, parse_addresses, parse_host
from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord, PolicyError
from ringfence.policy.model import (
    ANY,
    ME,
    Address,
    HostName,
    Keyword,
    Kind,
    Rule,
)
from ringfence.testing.policies import rule_text


def rule(text: str) -> Rule:
    (found,) = parse(text, name="policy.toml").rules
    return found


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse(text, name="policy.toml")
    return [str(finding) for finding in caught.value.findings]


def test_two_ends() -> None:
    both = rule(rule_text(between='["10.1.0.0/16", ["10.2.0.0/16", "10.3.0.0/16"]]'))
    assert both.either_end
    assert (both.kind, len(both.remote)) == (Kind.SERVER_TO_SERVER, 2)
    mine = rule(rule_text(between='["10.1.0.0/16", "me"]'))
    assert (mine.local, mine.remote, mine.either_end) == (ME, (AddressRange.parse("10.1.0.0/16"),), False)
    apart = rule(rule_text(local='"10.1.0.0/16"', remote='"any"'))
    assert (apart.local, apart.remote, apart.either_end) == ((AddressRange.parse("10.1.0.0/16"),), ANY, False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("me", Keyword.ME),
        (" ANY ", Keyword.ANY),
        ("10.0.0.5", AddressRange.parse("10.0.0.5")),
        ("10.0.0.5/8", AddressRange.parse("10.0.0.0/8")),
        ("2001:db8::/32", AddressRange.parse("2001:db8::/32")),
        ("10.0.0.1-10.0.0.9", AddressRange.parse("10.0.0.1-10.0.0.9")),
        ("dns-servers", Keyword.DNS_SERVERS),
        ("WINS", Keyword.WINS_SERVERS),
        ("defaultgateway", Keyword.DEFAULT_GATEWAY),
        ("Files.Corp.example.", HostName("files.corp.example")),
        ("fileserver.", HostName("fileserver")),
    ],
)
def test_addresses(text: str, found: Address) -> None:
    assert parse_addresses(text) == found


@pytest.mark.parametrize(
    "text", ["", "10.0.0", "10.0.0.0/33", "10.0.0.1-fd00::1", "host", "local-subnets", "fe80::1%1", "10.0.0.", "a..b"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadWord):
        parse_addresses(text)
    with pytest.raises(BadWord):
        parse_host(text)


def test_families() -> None:
    assert families(ME) == {4, 6}
    assert families((AddressRange.parse("10.0.0.1"), AddressRange.parse("fd00::1"))) == {4, 6}
    assert families((AddressRange.parse("fd00::1"),)) == {6}
    assert families((HostName("a.b"),)) == families((Keyword.DNS_SERVERS,)) == {4, 6}
