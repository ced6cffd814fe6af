# SPDX-License-Identifier: Apache-2.0
"""What has no name of its own, or another's, gets one."""

from ringfence.policy.terms import PskFile
from ringfence.stores.directory.names import Keys, Names


def test_each_name_is_that_of_one_thing():
    names = Names(["<Dynamic>"])
    assert [names.of("SQL", "{1}"), names.of("SQL", "{2}"), names.of("SQL", "{1}")] == ["SQL", "SQL {2}", "SQL"]
    assert names.of("<Dynamic>", "{3}") == "<Dynamic> {3}"


def test_a_key_has_one_file_name_wherever_it_is_met():
    keys = Keys()
    first = keys.file("Open Sesame", "to the Lab!")
    assert first == PskFile("directory/1-to-the-lab.psk") == keys.file("Open Sesame", "other")
    assert keys.file("another", "to the Lab!") == PskFile("directory/2-to-the-lab.psk")
    assert keys.secrets[first.file].reveal() == b"Open Sesame"
