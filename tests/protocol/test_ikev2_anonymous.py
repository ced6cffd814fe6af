# SPDX-License-Identifier: Apache-2.0
"""Two engines of which one proves nothing, or neither (RFC 7619); and how a stranger is nobody else."""

from dataclasses import replace

import pytest

from protocol.pairs import B, assert_one_pair
from protocol.test_certificates import ALICE, BOB, KEY, meet, own, reasons, way
from protocol.test_ikev2_certificates import V2, meet2, nobody
from ringfence.audit import MainModeEstablished
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.demand import Demand, Grant, Lack
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import NullAuth, Pad
from ringfence.ike.errors import Reason

ANYBODY = NullAuth()


def each_its_own(both, a, b):
    """What each side takes, and how it proves itself."""
    for host, policy, (theirs, ours) in ((both.a, V2, a), (both.b, V2.mirrored(), b)):
        spd, pad = replace(policy, auth=theirs).compiled()
        changed = Pad(tuple(replace(entry, local_auth=ours) for entry in pad))
        both.network.do(host, host.engine.apply(spd, changed, both.network.now))


def test_two_strangers_protect_what_they_say_to_each_other():
    both = meet2((ANYBODY,), (ANYBODY,))
    a, _ = assert_one_pair(both)
    assert a.peer == Identity(IdentityKind.NULL, both.b.address)
    for host in (both.a, both.b):
        [made] = host.of(MainModeEstablished)
        assert (made.local_identity, made.remote_identity) == ("anonymous", "anonymous")


@pytest.mark.parametrize("begins", ["a", "b"])
def test_a_gateway_with_a_certificate_lets_strangers_in(begins):
    """Who is a stranger to the gateway knows whom he talks to."""
    both = meet2((way(),), (ANYBODY,), begin=False)
    each_its_own(both, ((way(),), (ANYBODY,)), ((ANYBODY,), (way(own(BOB)),)))
    both.wish(both.a if begins == "a" else both.b)
    both.run(30)
    assert_one_pair(both)
    assert both.a.of(MainModeEstablished)[0].remote_identity == "CN=bob,O=Lab"
    assert both.b.of(MainModeEstablished)[0].remote_identity == "anonymous"


@pytest.mark.parametrize("wants", [(KEY,), (way(own(ALICE)),)], ids=["key", "certificate"])
@pytest.mark.parametrize("begins", ["stranger", "other"])
def test_who_wants_a_proof_takes_no_stranger(wants, begins):
    both = meet2(wants, (ANYBODY,), begin=False)
    each_its_own(both, (wants, ()), ((*wants, ANYBODY), (ANYBODY,)))
    both.wish(both.b if begins == "stranger" else both.a)
    both.run(30)
    assert set(reasons(both.a)) == {Reason.WRONG_METHOD.value}
    nobody(both)


@pytest.mark.parametrize("changes", [
    {"remote_identity": Identity.parse(B)}, {"remote_identity": Identity.parse("bob.lab")},
    {"admissions": (Admission(allow=(Pattern("*"),)),)}, {"admissions": (Admission(deny=(Pattern("eve.lab"),)),)},
], ids=["address", "name", "let in", "kept out"])  # fmt: skip
@pytest.mark.parametrize("begins", ["stranger", "other"])
def test_where_anybody_is_named_nobody_is_a_stranger(changes, begins):
    both = meet2((ANYBODY,), (ANYBODY,), policy=replace(V2, **changes), begin=False)
    both.wish(both.b if begins == "stranger" else both.a)
    both.run(30)
    assert not both.a.of(MainModeEstablished)
    assert both.a.using() is None


def test_a_stranger_serves_no_rule_that_wants_more():
    both = meet2((ANYBODY,), (ANYBODY,))
    [session] = both.a.engine._sessions
    [entry] = replace(V2, auth=(ANYBODY,)).compiled()[1]
    assert session.serves(replace(entry, name="other"))
    for changes in ({"auth": (KEY,)}, {"auth": (way(),)}, {"remote_identity": Identity.parse(B)},
                    {"admissions": (Admission(deny=(Pattern("eve.lab"),)),)}):  # fmt: skip
        assert not session.serves(replace(entry, name="other", **changes)), changes
    proved = meet2((KEY,), (KEY,))
    [session] = proved.a.engine._sessions
    assert session.serves(replace(entry, name="other", auth=(ANYBODY, KEY)))
    assert not session.serves(replace(entry, name="other"))


def test_what_has_to_be_secure_is_not_so_by_a_stranger():
    """A filter that permits only what is secure means who has proved himself."""
    both = meet2((ANYBODY,), (ANYBODY,))
    proved = meet2((KEY,), (KEY,))
    demand = Demand((Grant("filter"),))
    assert demand.lack(both.a.using(), inward=True) is Lack.AUTHORITY
    assert not demand.admits(both.a.using().peer)
    assert demand.lack(proved.a.using(), inward=True) is None


def test_a_strangers_first_contact_ends_nothing():
    """RFC 7619 §2.3: else a stranger could end what another one has."""
    both = meet2((ANYBODY,), (ANYBODY,))
    assert_one_pair(both)
    before = {*both.a.inbound}
    both.restart(both.b)
    both.wish(both.b)
    both.run(5)
    assert before <= {*both.a.inbound}


def test_ikev1_knows_no_strangers():
    both = meet((ANYBODY,), (ANYBODY,))
    assert both.a.using() is None
    assert not both.a.of(MainModeEstablished)
