# SPDX-License-Identifier: Apache-2.0
"""Two sides, part by part."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.comparison import ANY, NONE, Row, Terms, compare

PARTS = ("encryption", "hash", "group")


def terms(*words: str, weak: bool = False) -> Terms:
    return Terms(tuple(zip(PARTS, words, strict=True)), "-".join(words), weak)


def test_what_is_apart() -> None:
    found = compare("proposals", [terms("aes128", "sha1", "g2")], [terms("aes256", "sha256", "g14")])
    assert found.rows[0] == Row("encryption", ("aes128",), ("aes256",), agree=False)
    assert found.apart == PARTS
    assert str(found).startswith("encryption: it has aes128, we take aes256; hash: ")


def test_each_part_agrees_and_no_whole_does() -> None:
    theirs = [terms("aes128", "sha1", "g14")]
    ours = [terms("aes256", "sha1", "g19"), terms("aes128", "sha256", "g14"), terms("aes256", "sha1", "g14")]
    found = compare("proposals", theirs, ours)
    assert all(row.agree for row in found.rows)
    assert found.nearest == (theirs[0], ours[1]), "of two that differ in one part, our first"
    assert found.apart == ("hash",)
    assert str(found) == "hash: it has sha1, we take sha1, sha256"


def test_a_weak_one_is_nearest_only_when_nothing_else_is_as_near() -> None:
    weak, strong = terms("des", "sha1", "g14", weak=True), terms("aes", "sha1", "g14")
    theirs = [terms("rc5", "sha1", "g14")]
    assert compare("x", theirs, [weak, strong]).nearest == (theirs[0], strong)
    assert compare("x", theirs, [weak, terms("aes", "sha2", "g14")]).nearest == (theirs[0], weak)


def test_what_takes_every_form_and_what_is_not_there() -> None:
    found = compare("x", [Terms((("group", "g2"),))], [Terms((("group", ANY), ("mode", "tunnel")))])
    assert [(row.what, row.agree) for row in found.rows] == [("group", True), ("mode", False)]
    assert found.rows[1].theirs == (NONE,)


def test_a_side_without_anything() -> None:
    found = compare("x", [], [terms("a", "b", "c")])
    assert (found.nearest, found.apart) == (None, PARTS)
    assert compare("x", [], []).rows == ()


SOME = st.lists(st.tuples(*[st.sampled_from("abc")] * 3).map(lambda words: terms(*words)), min_size=1, max_size=5)


@settings(deadline=None)
@given(SOME, SOME)
def test_the_nearest_are_as_near_as_any(theirs: list[Terms], ours: list[Terms]) -> None:
    found = compare("x", theirs, ours)

    def distance(one: Terms, other: Terms) -> int:
        return sum(one.get(what) != other.get(what) for what in PARTS)

    assert found.nearest is not None
    assert distance(*found.nearest) == len(found.apart) == min(distance(a, b) for a in theirs for b in ours)
    assert (found.apart == ()) is bool(set(theirs) & set(ours))
