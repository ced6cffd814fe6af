# SPDX-License-Identifier: Apache-2.0
"""What an authority says of one certificate: what counts, and who is asked (RFC 6960)."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as answers
from lab.authority import CODE, DAY, NOW, authority

from ringfence.credentials import ocsp
from ringfence.credentials.ocsp import Responders, addresses, post, read

URL = "http://ca.lab/ocsp"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
ROOT, OTHER = authority(), authority("CN=Other CA")
ALICE, BOB = ROOT.issue(ocsp=URL), ROOT.issue("CN=bob", ocsp=URL)
HOUR = timedelta(hours=1)


def heard(octets, one=ALICE, issuer=ROOT, at=NOW):
    return read(octets, one.certificate, issuer.certificate, at)


def test_the_issuer_says_that_it_is_good_or_since_when_it_is_not():
    assert heard(ROOT.says(ALICE)).good
    revoked = heard(ROOT.says(ALICE, revoked=True))
    assert not revoked.good
    assert revoked.revoked_on.date() == (NOW - DAY).date()


@pytest.mark.parametrize("kind", ["rsa", "ecdsa-p384"])
def test_each_kind_of_authority(kind):
    root = authority("CN=Kind CA", kind)
    assert heard(root.says(one := root.issue()), one, root).good


def test_whom_the_issuer_lets_answer_counts_as_well():
    responder = ROOT.issue("CN=responder", usages=(OCSP_SIGNING,))
    assert heard(ROOT.says(ALICE, by=responder)).good


@pytest.mark.parametrize("by", [
    ROOT.issue("CN=bob"), ROOT.issue("CN=bob", usages=(CODE,)), OTHER.issue("CN=responder", usages=(OCSP_SIGNING,)),
    ROOT.issue("CN=responder", usages=(OCSP_SIGNING,), ends=NOW - HOUR),
    ROOT.issue("CN=responder", usages=(OCSP_SIGNING,), starts=NOW + HOUR), authority("CN=Lab CA,O=Lab"),
], ids=["member", "for code", "of another authority", "ended", "not begun", "same name"])  # fmt: skip
def test_nobody_else_speaks_for_it(by):
    """Not even a member of the same authority, such as the owner of the certificate himself."""
    assert heard(ROOT.says(ALICE, by=by)) is None


def test_an_answer_is_about_one_certificate_of_one_issuer():
    assert heard(ROOT.says(BOB)) is None
    assert heard(OTHER.says(ALICE)) is None
    assert heard(ROOT.says(ALICE), issuer=OTHER) is None


def test_an_answer_has_its_time():
    assert heard(ROOT.says(ALICE, at=NOW - 8 * DAY)) is None
    assert heard(ROOT.says(ALICE, at=NOW + HOUR)) is None
    assert heard(ROOT.says(ALICE, at=NOW + timedelta(minutes=4))).good
    assert heard(ROOT.says(ALICE, lasts=None)).good
    assert heard(ROOT.says(ALICE, lasts=None, at=NOW - 2 * HOUR)) is None


def test_who_is_unknown_or_refused_is_not_good():
    assert heard(ROOT.says(ALICE, unknown=True)) is None
    refusal = answers.OCSPResponseBuilder.build_unsuccessful(answers.OCSPResponseStatus.TRY_LATER)
    assert heard(refusal.public_bytes(Encoding.DER)) is None
    good = ROOT.says(ALICE)
    for wrong in (b"", b"nonsense", good[:-1], good[:-1] + bytes([good[-1] ^ 1])):
        assert heard(wrong) is None


class Web:
    def __init__(self, *said):
        self.said, self.asked, self.now = list(said), [], 0.0

    def post(self, url, request):
        self.asked.append((url, answers.load_der_ocsp_request(request).serial_number))
        answer = self.said.pop(0)
        if answer is None:
            raise OSError(url)
        return answer

    def responders(self):
        return Responders(self.post, lambda: self.now)


def about(responders, one=ALICE, at=NOW):
    return responders.about(one.certificate, ROOT.certificate, at)


def test_what_was_said_is_kept_until_it_is_out_of_date():
    web = Web(ROOT.says(ALICE), ROOT.says(ALICE, at=NOW + 8 * DAY, revoked=True))
    responders = web.responders()
    assert about(responders).good
    assert about(responders, at=NOW + DAY).good
    assert web.asked == [(URL, ALICE.certificate.serial_number)]
    assert not about(responders, at=NOW + 8 * DAY).good
    assert len(web.asked) == 2


def test_who_does_not_answer_is_left_alone_for_a_while():
    web = Web(None, ROOT.says(BOB))
    responders = web.responders()
    assert about(responders) is None
    assert about(responders, BOB) is None
    assert len(web.asked) == 1
    web.now = 61.0
    assert about(responders, BOB).good


def test_a_certificate_without_an_address_asks_nobody():
    assert addresses(ALICE.certificate) == [URL]
    assert addresses(ROOT.issue().certificate) == []
    assert Web().responders().about(ROOT.issue().certificate, ROOT.certificate, NOW) is None


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(ocsp, "KEPT", 2)
    responders = Web(*[None] * 5).responders()
    for number in range(5):
        about(responders, ROOT.issue(ocsp=f"http://ca.lab/{number}"))
    assert len(responders._failed) == 2


def test_only_http_is_asked():
    with pytest.raises(ValueError):
        post("https://ca.lab/ocsp", b"x")
