# SPDX-License-Identifier: Apache-2.0
"""Postquantum preshared keys between two engines: who uses which, and how nobody gets around one.

Each test runs with the key mixed in before IKE_AUTH (RFC 9867), and as with a peer that knows the older form only; that
mixes it into what comes after (RFC 8784).
"""

from dataclasses import replace

import pytest

from protocol.pairs import POLICY, assert_one_pair, pair
from protocol.test_ikev2_life import each_moment, established, renew, renew_ike
from ringfence.audit import MainModeEstablished, MainModeFailed
from ringfence.crypto.suites import DhGroup
from ringfence.databases.pad import Ppk
from ringfence.databases.proposal import Limits
from ringfence.ike.errors import Reason
from ringfence.ike.v2 import mixing
from ringfence.secret import Secret
from ringfence.testing.hosts import FAST_MAIN

KEY = Ppk("quantum", Secret(b"a postquantum key that both know"))
OPTIONAL = replace(KEY, required=False)
WRONG = replace(KEY, key=Secret(b"another key of the same name ..."))
OTHER = Ppk("other", Secret(b"a key that only one of them knows"))
V2 = POLICY.with_(keying=(2,))


@pytest.fixture(params=["early", "late"], autouse=True)
def early(request, monkeypatch):
    """Whether both know RFC 9867."""
    if request.param == "late":
        monkeypatch.setattr(mixing, "offered", lambda _entries: ())
    return request.param == "early"


def hosts(ours, theirs, policy=V2):
    return policy.with_(ppk=ours), policy.with_(ppk=theirs).mirrored()


def keys(host):
    return [each.made.keys for each in host.engine._sessions if each.usable]


def uses(both):
    """Whether the key went into the keys of both."""
    found = {
        each.made.proved.ppk is not None for host in (both.a, both.b) for each in host.engine._sessions if each.usable
    }
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize(
    ("ours", "theirs", "used"),
    [
        (KEY, KEY, True),
        (KEY, OPTIONAL, True),
        (OPTIONAL, KEY, True),
        (OPTIONAL, OPTIONAL, True),
        (OPTIONAL, None, False),
        (None, OPTIONAL, False),
        (OPTIONAL, replace(OTHER, required=False), False),
    ],
)
@pytest.mark.parametrize("further", [(), (DhGroup.ECP_256,)])
def test_who_agrees(ours, theirs, used, further, early):
    both = established(*hosts(ours, theirs, V2.with_(main=(replace(FAST_MAIN, further=further),))))
    assert uses(both) is used
    (mine,), (others,) = keys(both.a), keys(both.b)
    assert mine.d == others.d
    logged = both.a.logged
    assert len({each.ei.reveal() for each in logged}) == 1 + bool(further or (used and early))
    assert mine.ei == logged[-1].ei == others.ei  # which the late form leaves as they were
    assert (mine.ei != logged[0].ei) is (bool(further) or (used and early))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (KEY, None),
        (None, KEY),
        (KEY, OTHER),
        (OTHER, KEY),
        (KEY, WRONG),
        (OPTIONAL, WRONG),
        (KEY, replace(OTHER, required=False)),
        (OPTIONAL, OTHER),
    ],
)
def test_who_does_not(ours, theirs):
    """Another key under the same name is no key at all, even where nobody insists."""
    both = pair(*hosts(ours, theirs))
    both.wish(both.a)
    both.run(10)
    for host in (both.a, both.b):
        assert not host.of(MainModeEstablished)
    reasons = {each.reason for host in (both.a, both.b) for each in host.of(MainModeFailed)}
    assert reasons & {Reason.NO_PPK.value, Reason.WRONG_KEY.value}


def test_contracts_and_successors_depend_on_it():
    main = replace(FAST_MAIN, limits=Limits(seconds=100))
    both = established(*hosts(KEY, KEY, V2.with_(main=(main,))))
    each_moment(both, 150)
    renew(both, both.a)
    both.run(20)
    assert_one_pair(both)
    assert len(both.a.of(MainModeEstablished)) >= 2


def test_an_entry_that_insists_is_not_served_by_an_ike_sa_without():
    both = established(*hosts(OPTIONAL, None))
    (session,) = both.a.engine._sessions
    assert session.serves(session.entries[0])
    assert not session.serves(replace(session.entries[0], ppk=KEY))


def test_nobody_in_between_can_talk_them_out_of_it(early):
    """IKE_SA_INIT is covered by AUTH: without USE_PPK on the wire, what either proves is wrong to the other."""
    both = pair(*hosts(OPTIONAL, OPTIONAL))
    use = bytes.fromhex("000000080000403d" if early else "0000000800004033")  # the notify, last of IKE_SA_INIT

    def strip(datagram, path):
        if datagram[18] == 34 and datagram.endswith(use):
            bent = bytearray(datagram[: -len(use)])
            bent[24:28] = len(bent).to_bytes(4)
            at, last = 28, 0
            while at < len(bent):
                last, at = at, at + int.from_bytes(bent[at + 2 : at + 4])
            bent[last] = 0
            both.network.inject(bytes(bent), path)
            return False
        return True

    both.network.passes = strip
    both.wish(both.a)
    both.run(10)
    assert not both.a.of(MainModeEstablished)
    assert not both.b.of(MainModeEstablished)
    both.network.passes = lambda _datagram, _path: True
    both.wish(both.a)
    both.run(10)
    assert uses(both)


def test_both_renew_the_ike_sa_at_once():
    both = established(*hosts(KEY, KEY))
    renew_ike(both, both.a, both.b)
    both.run(60)
    assert_one_pair(both)
