# SPDX-License-Identifier: Apache-2.0
"""Log lines: sentences that machines can take apart."""

import io
from dataclasses import replace
from datetime import UTC, datetime

from ringfence.audit import MainModeFailed, MessageExchanged, PolicyRefused
from ringfence.service.events import Recorded
from ringfence.service.log import line, make_sink

AT = datetime(2026, 11, 25, 12, 3, 1, 5, tzinfo=UTC)
FAILED = MainModeFailed(peer="10.0.0.2", reason="peer-silent", detail='no "answer" came', initiator=True)
MESSAGE = MessageExchanged(
    sent=True, peer="10.0.0.2", exchange="main mode", number=1, payloads="SA VID", octets=120, encrypted=False
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(*events: object, verbose: bool = False, journal: bool = False, out: io.StringIO | None = None) -> str:
    stream = out or io.StringIO()
    sink = make_sink(verbose=verbose, journal=journal, stream=stream)
    for number, event in enumerate(events):
        sink(Recorded(number, AT, event))  # type: ignore[arg-type]
    return stream.getvalue()


def test_a_line_is_a_sentence_and_its_pieces() -> None:
    assert line(FAILED) == (
        'main-mode-failed: main mode with 10.0.0.2 failed: no "answer" came windows_id=4653 peer=10.0.0.2 '
        "reason=peer-silent initiator=true keying=ikev1"
    )


def test_values_with_odd_signs_are_quoted() -> None:
    assert 'payloads="SA \\"x\\" = y"' in line(replace(MESSAGE, payloads='SA "x" = y'))


def test_an_event_is_one_line_whatever_it_says() -> None:
    refused = PolicyRefused(document="p.toml", detail="p.toml:3: wrong\n  3 | x\n    | ^")
    assert len(logged(refused).splitlines()) == 1
    assert len(logged(refused, journal=True).splitlines()) == 1


def test_the_journal_gets_a_priority_and_a_file_the_time() -> None:
    assert logged(FAILED, journal=True).startswith("<4>main-mode-failed: ")
    assert logged(MESSAGE, journal=True, verbose=True).startswith("<6>ike-message: ")
    assert logged(FAILED).startswith("2026-11-25T12:03:01.000005Z main-mode-failed: ")


def test_a_person_gets_the_local_time_and_the_sentence() -> None:
    assert logged(FAILED, out=Terminal()) == f"{AT.astimezone():%H:%M:%S}  {FAILED}\n"


def test_details_are_only_logged_on_demand() -> None:
    assert logged(MESSAGE) == ""
    assert "ike-message" in logged(MESSAGE, verbose=True)


def test_a_reader_that_left_is_no_trouble() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    assert logged(FAILED, out=Gone()) == ""
