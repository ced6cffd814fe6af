# SPDX-License-Identifier: Apache-2.0
"""Group Policy objects where SYSVOL and backups have them."""

import os
from pathlib import Path

import pytest

from ringfence.stores.errors import StoreError
from ringfence.stores.grouppolicy.objects import objects_in

BACKUP = "<BackupInst><GPODisplayName><![CDATA[Servers & clients]]></GPODisplayName></BackupInst>"


def put(path: Path, content: str = "PReg") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.mark.parametrize(
    "inside", ["Machine/registry.pol", "MACHINE/Registry.pol", "DomainSysvol/GPO/Machine/registry.pol"]
)
def test_one_object(tmp_path: Path, inside: str) -> None:
    file = put(tmp_path / "{GUID}" / inside)
    (found,) = objects_in(tmp_path / "{GUID}")
    assert (found.name, found.path) == ("{GUID}", file)
    assert found.read().octets == b"PReg"


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("bkupInfo.xml", BACKUP, "Servers & clients"),
        ("BKUPINFO.XML", "<GPODisplayName>plain</GPODisplayName>", "plain"),
        ("gpreport.xml", "<GPO><Identifier><Domain>x</Domain></Identifier>\n <Name>reported</Name></GPO>", "reported"),
        ("GPT.INI", "[General]\r\nVersion=3\r\ndisplayName=mine\r\n", "mine"),
        ("GPT.INI", "[General]\r\ndisplayName=New Group Policy Object\r\n", "{GUID}"),
        ("bkupInfo.xml", "nothing of the kind", "{GUID}"),
    ],
)
def test_what_it_is_called(tmp_path: Path, name: str, content: str, title: str) -> None:
    file = put(tmp_path / "{GUID}" / "Machine" / "registry.pol")
    put(tmp_path / "{GUID}" / name, content)
    assert [one.name for one in objects_in(tmp_path / "{GUID}")] == [title]
    assert [one.name for one in objects_in(file)] == [title.replace("{GUID}", "registry.pol")]


def test_a_report_in_utf_16(tmp_path: Path) -> None:
    put(tmp_path / "Machine" / "registry.pol")
    (tmp_path / "gpreport.xml").write_bytes("<Identifier></Identifier><Name>é</Name>".encode("utf-16"))
    assert [one.name for one in objects_in(tmp_path)] == ["é"]


def test_several_are_in_the_order_of_their_folders(tmp_path: Path) -> None:
    for name in ("20-servers", "10-all", "nothing here"):
        (tmp_path / name).mkdir()
    for name in ("20-servers", "10-all"):
        put(tmp_path / name / "Machine" / "registry.pol")
    assert [one.name for one in objects_in(tmp_path)] == ["10-all", "20-servers"]


def test_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="of a Group Policy object") as caught:
        objects_in(tmp_path)
    assert "Machine/registry.pol" in caught.value.cure
    (missing,) = objects_in(tmp_path / "gone")
    with pytest.raises(StoreError, match="cannot be read"):
        missing.read()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "Machine").mkdir()
    os.mkfifo(tmp_path / "Machine" / "registry.pol")
    (found,) = objects_in(tmp_path)
    with pytest.raises(StoreError, match="is no file"):
        found.read()
