# SPDX-License-Identifier: Apache-2.0
"""Ringfence's own defaults are known again."""

from dataclasses import replace

from ringfence.policy.document import parse
from ringfence.policy.terms import MainMode
from ringfence.transfer.grouppolicy.exporting import write_file
from ringfence.transfer.grouppolicy.ours import is_ours, main_mode_for_windows
from ringfence.transfer.grouppolicy.preg import decode
from ringfence.transfer.grouppolicy.registry import Registry
from ringfence.transfer.grouppolicy.sets import SetKind, SetSaid, read_sets
from ringfence.transfer.grouppolicy.values import Version


def test_what_is_written_by_default() -> None:
    text = '[[rule]]\nname = "n"\nwith = "any"\nauth = "kerberos"\n'
    registry = Registry()
    registry.apply(decode(write_file(parse(text, name="x"), {}).octets or b""), "gpo")
    found = {one.kind: one for one in read_sets(registry) if isinstance(one, SetSaid)}
    assert {kind for kind, one in found.items() if is_ours(one)} == {SetKind.CRYPTO1, SetKind.CRYPTO2}
    crypto = found[SetKind.CRYPTO2]
    assert not is_ours(replace(crypto, suites=crypto.suites[1:]))
    assert not is_ours(replace(crypto, head=replace(crypto.head, version=Version(2, 1))))


def test_windows_is_offered_what_it_has() -> None:
    words = [str(one) for one in main_mode_for_windows(MainMode()).methods]
    assert words
    assert not any("25519" in word for word in words)
