# SPDX-License-Identifier: Apache-2.0
from ringfence.policy.source import Source
from ringfence.policy.tables import Tables


def tables(*texts: str) -> Tables:
    return Tables([Source.read(text, name=f"{number}.toml") for number, text in enumerate(texts, 1)])


def test_tables_of_all_documents_in_their_order() -> None:
    found = tables("[[x]]\nname = 'a'\n[[x]]\n", "[[y]]\n", "[[x]]\nname = 'b'\n")
    assert [(one.subject, str(one.place)) for one in found.items("x")] == [
        ('x "a"', "1.toml:1"), ("x number 2", "1.toml:3"), ('x "b"', "3.toml:1"),
    ]  # fmt: skip
    assert found.items("x") is found.items("x")
    assert not found.findings


def test_a_finding_about_an_item_knows_its_document() -> None:
    found = tables("[[x]]\nname = 'a'\n", "[[x]]\nname = 'b'\n")
    found.items("x")[1].complain("name", "is wrong")
    assert str(found.findings[0]).startswith('2.toml:2: x "b": name is wrong.')


def test_one_table_of_all_documents() -> None:
    found = tables("[g]\na = 1\n", "[g]\n", "[[g]]\n")
    table = found.one("g")
    assert table is not None
    assert table.data == {"a": 1}
    assert [str(one).splitlines()[0] for one in found.findings] == [
        "2.toml:1: g is already there in 1.toml:1.", "3.toml:1: g has to be a single table: a policy has one.",
    ]  # fmt: skip
    assert found.one("g") is table
    assert tables("a = 1\n").one("g") is None


def test_named_tables_of_all_documents() -> None:
    found = tables("[n.a]\n[n.b]\n", "[n.a]\n", "n = 1\n", "[n]\nc = 1\n")
    assert [(name, str(table.place)) for name, table in found.named("n")] == [
        ("a", "1.toml:1"), ("b", "1.toml:2"), ("a", "2.toml:1"),
    ]  # fmt: skip
    assert [str(one).splitlines()[0] for one in found.findings] == [
        '2.toml:1: n "a": is already there in 1.toml:1.', "3.toml:1: n is 1, but has to be a table.",
        "4.toml:2: n.c is 1, but has to be a table.",
    ]  # fmt: skip


def test_findings_stand_as_documents_were_read() -> None:
    found = tables("\n[[x]]\n", "[[x]]\nu = 1\n")
    for item in reversed(found.items("x")):
        item.complain("", "is wrong")
    found.finish()
    assert [str(one.place) for one in found.sorted()] == ["1.toml:2", "2.toml:1"]
    unknown = tables("a = 1\ninclude = 'b'\n")
    unknown.items("x")
    unknown.finish()
    assert [one.message for one in unknown.findings] == ['there is no setting "a".']
