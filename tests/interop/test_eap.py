# SPDX-License-Identifier: Apache-2.0
"""Our side of EAP that proves itself, and our passing through to RADIUS, with FreeRADIUS: both come to one key."""

import os
from datetime import UTC, datetime

import pytest
from lab import freeradius
from lab.authority import authority
from lab.fixtures import unavailable

from ringfence.credentials.keeper import LocalKeeper
from ringfence.crypto.signature import KeyKind, PrivateKey
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.eap import EapAuth, EapMethod, EapUser, RadiusServer
from ringfence.ike.effects import Converse, Conversed, Unfit
from ringfence.secret import Secret

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
USERS = {"alice": "correct horse"}
CASES = [("mschapv2", "1.2"), ("tls", "1.3"), *([("tls", "1.2"), ("gtc", "1.2"), ("md5", "1.2")] if FULL else [])]


@pytest.fixture(scope="module")
def made():
    root = authority()
    return (
        root,
        root.issue("CN=radius,O=Lab", names=("radius.lab",)),
        root.issue("CN=alice,O=Lab", names=("alice@lab",)),
    )


@pytest.fixture
def servers(request, tmp_path, made):
    """FreeRADIUS that asks by the method of the case."""
    if reason := freeradius.missing():
        unavailable(reason)
    root, server, _ = made
    method, tls = request.param
    files = server.pem, server.key_pem(), root.pem
    with freeradius.running(tmp_path / "radius", USERS, files, method=method, tls=tls) as port:
        yield (RadiusServer("lab", "127.0.0.1", Secret(freeradius.SECRET), port),)


def converse(made, servers, *methods, name="alice", password=b"correct horse"):
    root, _, alice = made
    keeper = LocalKeeper(lambda: datetime.now(UTC))
    own = OwnCertificate("alice", (alice.der,))
    keeper.hold({own.id: PrivateKey(alice.key)})
    of = CertificateAuth("CN=Lab CA, O=Lab", KeyKind.P256, (root.der,), (own,))
    user = EapAuth(methods, user=EapUser(name, Secret(password)), users_of=of)
    through = EapAuth((), directory=servers)
    said = keeper.answer(Converse(through, b"", 1, True, True, "192.0.2.7"))
    begins = True
    while True:
        reply = keeper.answer(Converse(user, said.packet, 2, False, begins))
        begins = False
        if not isinstance(reply, Conversed) or reply.ended:
            return reply, said
        said = keeper.answer(Converse(through, reply.packet, 1, True))


@pytest.mark.parametrize(("servers", "method"), [(case, case[0]) for case in CASES], indirect=["servers"])
def test_we_are_let_in_and_both_have_the_key(made, servers, method):
    way = EapMethod(method)
    ours, theirs = converse(made, servers, way, name="" if way is EapMethod.TLS else "alice")
    assert isinstance(ours, Conversed), ours
    assert theirs.name == ("alice@lab" if way is EapMethod.TLS else "alice")
    if way.makes_key:
        assert ours.key.reveal().rstrip(b"\0") == theirs.key.reveal().rstrip(b"\0")
        assert len(theirs.key) >= 32
    else:
        assert ours.key is None
        assert theirs.key is None


@pytest.mark.parametrize("servers", [("mschapv2", "1.2")], indirect=True)
def test_what_is_wrong_is_refused_and_another_method_is_found(made, servers):
    for name, password in (("alice", b"wrong"), ("nobody", b"correct horse")):
        ours, theirs = converse(made, servers, EapMethod.MSCHAPV2, name=name, password=password)
        assert isinstance(ours, Unfit)
        assert theirs.refused
    ours, theirs = converse(made, servers, EapMethod.MD5)
    assert ours.ended
    assert theirs.name == "alice"
