# SPDX-License-Identifier: Apache-2.0
"""strongSwan lets us in by EAP in IKEv2, and we let it in; a RADIUS server, FreeRADIUS, knows the users where asked."""

import os
from contextlib import ExitStack

import pytest
from interop.test_ikev1_certificates import Certified, certified
from lab import freeradius
from lab.fixtures import unavailable
from lab.guest import OURS, THEIRS
from lab.ikev1 import THEM, US, Pings, agreed, begin, both
from lab.product import until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
OUR_NAME = f"O=Lab, CN={OURS[0]}"
CA = "CN=Lab CA, O=Lab"
USER = "alice.lab"
"""As certificates of users call him."""
CELLS = [("mschapv2", US)]
MORE = [(method, begins) for method in ("mschapv2", "md5", "tls") for begins in (US, THEM)] + [("gtc", THEM)]
"""For GTC as a gateway strongSwan asks the users of its own computer."""


def scenario_of(peer, begins, method, *, alone=False, radius=0, password="correct horse", name="alice") -> Certified:
    """Ours: as a client its password, as a gateway a list of users or a RADIUS server."""
    found = certified(peer, begins=begins, version=2, names=(*THEIRS, USER))
    folder = peer.share / "certs"
    for file, text in {
        "users.toml": f'{name} = "{password}"\n',
        "password": password,
        "secret": freeradius.SECRET.decode(),
    }.items():
        (folder / file).write_text(text)
        (folder / file).chmod(0o600)
    words = [f'eap = "{method}"', f'certificate = "{CA}"', *(["eap-only = true"] if alone else [])]
    if begins is US and method != "tls":
        words += [f'user = "{name}"', f'password-file = "{folder}/password"']
    elif begins is THEM:
        words += ['radius = "main"' if radius else f'users-file = "{folder}/users.toml"']
    table = f'[radius.main]\nhost = "127.0.0.1"\nport = {radius}\nsecret-file = "{folder}/secret"\n' if radius else ""
    return ByEap.made(found, f"{{ {', '.join(words)} }}", table)


class ByEap(Certified):
    """A scenario in which one side is a user."""

    way = ""
    table = ""

    @classmethod
    def made(cls, found, way, table):
        self = cls(found.peer, begins=found.begins, version=2)
        for name, value in (("folder", found.folder), ("way", way), ("table", table)):
            object.__setattr__(self, name, value)
        return self

    @property
    def policy(self) -> str:
        return super().policy.replace(f'{{ certificate = "{CA}", signing = "rsa" }}', self.way) + self.table


def settings(begins, method, **more):
    """The peer's: the gateway where we begin, else the user."""
    return {"AUTH": "eapserver" if begins is US else "eapclient", "EAP": method, **NAMES[begins], **more}


NAMES = {US: {"REMOTE_ID": "%any"}, THEM: {"REMOTE_ID": OUR_NAME}}


@pytest.mark.parametrize(("method", "begins"), MORE if FULL else CELLS)
def test_users_come_in(strongswan, method, begins):
    scenario = scenario_of(strongswan, begins, method, name=OURS[0] if method == "tls" and begins is US else "alice")
    more = {"EAP_USER": USER} if method == "tls" and begins is THEM else {}
    with both(strongswan, scenario, **settings(begins, method, **more)) as product:
        begin(strongswan, product, scenario)
        Pings(strongswan, scenario, 0.2).finish()
        assert agreed(strongswan, product)
        [event] = product.events("main-mode-established")
        assert event["remote_identity"] == (THEIRS[0] if begins is US else f"user:{more.get('EAP_USER', 'alice')}")


@pytest.mark.skipif(not FULL, reason="part of make interop")
@pytest.mark.parametrize("begins", [US, THEM])
def test_a_wrong_password_comes_to_nothing(strongswan, begins):
    scenario = scenario_of(strongswan, begins, "mschapv2", password="another")
    with both(strongswan, scenario, **settings(begins, "mschapv2")) as product:
        if begins is US:
            strongswan.outside("ping", "-c", 1, "-W", 1, THEIRS[0], check=False)
        else:
            strongswan.initiate(check=False)
        until(lambda: product.events("main-mode-failed"), seconds=40)
        assert {one["reason"] for one in product.events("main-mode-failed")} == {"eap-failed"}
        assert "password is wrong" in product.events("main-mode-failed")[0]["detail"]
        until(lambda: not strongswan.states())


@pytest.mark.skipif(not FULL, reason="part of make interop")
def test_a_method_that_proves_both_will_do_alone(strongswan):
    """The other way round strongSwan always shows its certificate."""
    scenario = scenario_of(strongswan, THEM, "tls", alone=True)
    with both(
        strongswan, scenario, **settings(THEM, "tls", EAP_USER=USER, GATEWAY="eap-tls", REMOTE_ID="%any")
    ) as product:
        begin(strongswan, product, scenario)
        assert agreed(strongswan, product)


def test_a_radius_server_knows_the_users(strongswan, tmp_path):
    if reason := freeradius.missing():
        unavailable(reason)
    scenario = scenario_of(strongswan, THEM, "mschapv2", radius=1812)
    folder = strongswan.share / "certs"
    files = tuple((folder / name).read_bytes() for name in (f"{THEIRS[0]}.pem", f"{THEIRS[0]}.key", "ca.pem"))
    with ExitStack() as stack:
        inside = ("ip", "netns", "exec", strongswan.netns)
        port = stack.enter_context(
            freeradius.running(tmp_path / "radius", {"alice": "correct horse"}, files, prefix=inside)
        )
        scenario = scenario_of(strongswan, THEM, "mschapv2", radius=port)
        product = stack.enter_context(both(strongswan, scenario, **settings(THEM, "mschapv2")))
        begin(strongswan, product, scenario)
        assert agreed(strongswan, product)
        [event] = product.events("main-mode-established")
        assert event["remote_identity"] == "user:alice"
