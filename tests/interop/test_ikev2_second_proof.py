# SPDX-License-Identifier: Apache-2.0
"""strongSwan's users come behind their computers, and ours with strongSwan as gateway (RFC 4739); or they do not."""

import os

import pytest
from interop.test_ikev1_certificates import Certified, certified
from lab.guest import OURS, THEIRS
from lab.ikev1 import THEM, US, Pings, agreed, begin, both
from lab.product import until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
OUR_NAME = f"O=Lab, CN={OURS[0]}"
CELLS = [("mschapv2", THEM)]
MORE = [(method, begins) for method in ("mschapv2", "md5") for begins in (US, THEM)]


class Behind(Certified):
    """A scenario in which the user of who begins proves himself behind the computers."""

    second = ""

    @property
    def policy(self) -> str:
        return super().policy + f"\nsecond-auth = {self.second}\n"


def behind(peer, begins, method, *, password="correct horse", more="") -> Behind:
    found = certified(peer, begins=begins, version=2, more=more)
    made = Behind(found.peer, begins=begins, version=2)
    folder = peer.share / "certs"
    for file, text in {"users.toml": f'alice = "{password}"\n', "password": password}.items():
        (folder / file).write_text(text)
        (folder / file).chmod(0o600)
    words = (
        f'user = "alice", password-file = "{folder}/password"'
        if begins is US
        else f'users-file = "{folder}/users.toml"'
    )
    for name, value in (("folder", str(folder)), ("more", more), ("second", f'{{ eap = "{method}", {words} }}')):
        object.__setattr__(made, name, value)
    return made


def settings(begins, method, second=None):
    second = second or ("userserver" if begins is US else "userclient")
    return {"AUTH": "cert", "SECOND": second, "EAP": method, "REMOTE_ID": OUR_NAME}


@pytest.mark.parametrize(("method", "begins"), MORE if FULL else CELLS)
def test_the_user_comes_behind_the_computer(strongswan, method, begins):
    scenario = behind(strongswan, begins, method)
    with both(strongswan, scenario, **settings(begins, method)) as product:
        begin(strongswan, product, scenario)
        Pings(strongswan, scenario, 0.2).finish()
        assert agreed(strongswan, product)
        [event] = product.events("main-mode-established")
        assert event["remote_identity"] == THEIRS[0]


def refused(peer, scenario, reason, **words):
    with both(peer, scenario, **words) as product:
        if scenario.begins is US:
            peer.outside("ping", "-c", 1, "-W", 1, THEIRS[0], check=False)
        else:
            peer.initiate(check=False)
        until(lambda: product.events("main-mode-failed"), seconds=40)
        assert {one["reason"] for one in product.events("main-mode-failed")} == {reason}
        until(lambda: product.main_modes == [] == product.quick_modes, seconds=40)
        until(lambda: not peer.states())


@pytest.mark.skipif(not FULL, reason="part of make interop")
@pytest.mark.parametrize("begins", [US, THEM])
def test_a_wrong_password_comes_to_nothing(strongswan, begins):
    refused(
        strongswan,
        behind(strongswan, begins, "mschapv2", password="another"),
        "eap-failed",
        **settings(begins, "mschapv2"),
    )


@pytest.mark.skipif(not FULL, reason="part of make interop")
def test_a_computer_without_its_user_comes_to_nothing(strongswan):
    words = settings(THEM, "mschapv2", "nosecond")
    refused(strongswan, behind(strongswan, THEM, "mschapv2"), "wrong-authentication-method", **words)


@pytest.mark.skipif(not FULL, reason="part of make interop")
def test_who_is_not_let_in_is_told_so(strongswan):
    scenario = behind(strongswan, THEM, "mschapv2", more='allow = { users = ["bob"] }')
    refused(strongswan, scenario, "not-authorized", **settings(THEM, "mschapv2"))
