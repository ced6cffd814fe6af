# SPDX-License-Identifier: Apache-2.0
"""The timeline is well-formed and says everything that it was told."""

from xml.etree import ElementTree

from ringfence.demo.picture import Arrow, Chapter, Kind, timeline

ROWS = [
    Chapter(0.0, "1. In clear"),
    Arrow(0.001, "alice", "bob", Kind.CLEAR, "GET / <password> & more"),
    Arrow(0.5, "bob", "alice", Kind.PROTECTED, "ESP"),
    Arrow(0.9, "mallory", "bob", Kind.ATTACK, "replayed", stopped=True),
]


def test_it_is_xml_and_says_every_row() -> None:
    root = ElementTree.fromstring(timeline("A story", ["alice", "bob", "mallory"], ROWS))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    for word in ("A story", "alice", "bob", "mallory", "1. In clear", "GET / <password> & more", "ESP", "replayed"):
        assert word in texts
    for kind in Kind:
        assert kind.value[1] in texts


def test_everything_lies_inside() -> None:
    root = ElementTree.fromstring(timeline("A story", ["alice", "bob", "mallory"], ROWS))
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    for element in root.iter():
        for name in ("x", "x1", "x2"):
            assert 0 <= float(element.attrib.get(name, 0)) <= width
        for name in ("y", "y1", "y2"):
            assert 0 <= float(element.attrib.get(name, 0)) <= height
