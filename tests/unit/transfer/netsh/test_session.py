# SPDX-License-Identifier: Apache-2.0
"""What one run collects."""

import pytest

from ringfence.policy.model import Certificate, Kerberos, PskFile
from ringfence.transfer.base import LeftOut
from ringfence.transfer.netsh.arguments import Arguments, Refused
from ringfence.transfer.netsh.methods import Methods
from ringfence.transfer.netsh.script import Line
from ringfence.transfer.netsh.session import Session, ipsec_auth, tidy
from ringfence.transfer.netsh.words import cut

TAGS = ("kerberos", "psk", "rootca")
LINE = Line("a.cmd:1", (), "the words")


def test_things_left_out_have_their_line() -> None:
    session = Session(line=LINE)
    session.leave_out("why", "cure")
    session.note("so", line=Line("a.cmd:2", (), "others"))
    assert session.left_out == [LeftOut("a.cmd:1", "the words", "why", "cure")]
    assert session.notes == [LeftOut("a.cmd:2", "others", "so")]


def test_methods() -> None:
    session = Session(line=LINE)
    assert session.methods(Methods((1, 2), ('"x", no',))) == (1, 2)
    assert session.left_out[0].why == 'it names "x", no'
    with pytest.raises(Refused):
        session.methods(Methods(()))


def test_authentication_comes_in_its_order() -> None:
    session = Session(line=LINE)
    said = Arguments(
        cut(r"""psk="open sesame" kerberos=yes rootca="CN=A, O=\'B C\' certmap:yes excludecaname:no" rootca=CN=D"""),
        TAGS,
    )
    assert ipsec_auth(session, said, "Branch office") == (
        PskFile("branch-office.psk"), Kerberos(), Certificate('CN=A, O="B C"', mapping=True), Certificate("CN=D"),
    )  # fmt: skip
    assert ipsec_auth(session, Arguments(cut("kerberos=no psk="), TAGS), "x") == ()
    with pytest.raises(Refused, match="names no authority"):
        ipsec_auth(session, Arguments(cut('rootca="certmap:no"'), TAGS), "x")


def test_a_key_without_its_name_is_not_shown() -> None:
    line = Line("a.cmd:1", (), "set defaultrule pol no yes x yes opensesame")
    said = Arguments(cut("pol no yes x yes opensesame"), ("policy", "qmpfs", "activate", "qmsecmethods", *TAGS))
    assert tidy(line, said).text == "set defaultrule pol no yes x yes ..."
