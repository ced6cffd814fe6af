# SPDX-License-Identifier: Apache-2.0
"""The place in the middle sees each packet once, keeps it, and can put one on the wire."""

from pathlib import Path

import pytest

from ringfence.capture.pcap import read_pcap
from ringfence.demo.errors import NotTrue
from ringfence.demo.namespaces import routed_pair
from ringfence.demo.wiretap import Wiretap


@pytest.mark.root
def test_what_goes_through_a_router_is_seen_once(tmp_path: Path) -> None:
    capture = tmp_path / "c.pcap"
    with routed_pair() as (alice, router, _), Wiretap(router, ["eth0", "eth1"], capture) as tap:
        mark = tap.mark()
        alice.run("ping", "-c2", "-i0.2", "10.77.2.1")
        tap.settle()
        seen = tap.since(mark)
        assert [(one.source, one.destination) for one in seen] == [
            ("10.77.1.1", "10.77.2.1"), ("10.77.2.1", "10.77.1.1"),
        ] * 2  # fmt: skip
        tap.inject("eth1", seen[0].frame)
        tap.settle(0.5)
        again = tap.since(tap.mark() - 2)
        assert again[0].frame == seen[0].frame
        assert again[1].source == "10.77.2.1"
    with capture.open("rb") as file:
        assert len(list(read_pcap(file))) == mark + 6


class NoHost:
    prefix = ("/bin/false",)

    def python(self, *words: str) -> tuple[str, ...]:
        return words


def test_a_capture_that_does_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.demo.wiretap.SECONDS", 0.1)
    with pytest.raises(NotTrue, match="does not begin"):
        Wiretap(NoHost(), [], tmp_path / "c.pcap")  # type: ignore[arg-type]
