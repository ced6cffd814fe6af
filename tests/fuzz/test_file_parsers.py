# SPDX-License-Identifier: Apache-2.0
"""Broken files: a policy or a capture that is none is refused with words for a person, whatever it holds."""

from contextlib import suppress
from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.capture.flowfile import read_flows
from ringfence.capture.pcap import BadCapture, Frame, PcapWriter, read_pcap
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.texts import toml_text
from ringfence.stores.file import FileStore

many = settings(max_examples=200, deadline=None)

DOCUMENT = """\
[[rule]]
name   = "lab is isolated"
with   = "10.77.0.0/24"
secure = { in = "require", out = "request" }
protect = ["esp aes256-gcm", "esp aes128-sha256"]
auth   = { psk-file = "lab.psk" }

[[rule]]
name   = "branch office"
kind   = "tunnel"
local  = { networks = ["10.1.0.0/16"], gateway = "192.0.2.1" }
remote = { networks = ["10.2.0.0/16", "2001:db8::/32"], gateway = "198.51.100.7" }
auth   = { psk-file = "branch.psk" }

[[filter]]
name = "no telnet"
block = "tcp to 23"

[policy]
based-on = "Server (Request Security)"
auth = ["kerberos", { psk-file = "lab.psk" }]
main-mode = { methods = ["aes256-sha256-ecp256"], lifetime = "60 min" }

[[policy.rule]]
filter-list = "SQL"
filter-action = "Encrypt"
tunnel = { local = "192.0.2.1", remote = "198.51.100.7" }

[filter-list.SQL]
filters = ["me tcp <-> 10.9.0.0/16:1433", { filter = "dns-servers -> me", description = "d" }]

[filter-action.Encrypt]
negotiate = ["esp aes256-gcm", "esp aes128-sha256 every 900 s or 100 MB"]
"""
WORDS = [
    "[[rule]]", "[[filter]]", "[policy]", "[[policy.rule]]", "[filter-list.a]", "[filter-action.a]", "filters",
    "filter-list", '"me <-> any"', "tunnel", '"kerberos"', "negotiate", "[rule]", "rule", "name", "=", '"', "'''",
    "{", "}", "[", "]", "with", "secure", "auth", '"10.0.0.0/8"', '"::/0"', '"require"', "true", "-1", "1e400", "nan",
    "0x7fffffffffffffffff", "1979-05-27", ",", "\n", " ", "kind", '"tunnel"', "protect", '"esp aes256-gcm"',
    "\\u0000", "\x00", "é", "#", ".", '"tcp to 1-0"',
]  # fmt: skip


def read(text: str) -> None:
    try:
        parse(text, name="policy.toml")
    except PolicyError as error:
        said = str(error)
        if not error.findings or not said.startswith("policy.toml"):
            raise


def test_the_document_itself_is_right():
    policy = parse(DOCUMENT, name="policy.toml")
    assert (len(policy.rules), len(policy.filters)) == (2, 1)


@many
@given(st.text(max_size=200) | st.lists(st.sampled_from(WORDS), max_size=40).map("".join))
def test_no_text_confuses_a_policy(text):
    read(text)


@many
@given(st.lists(st.tuples(st.integers(0, len(DOCUMENT)), st.integers(0, 8), st.sampled_from(["", *WORDS])), max_size=4))
def test_no_edit_confuses_a_policy(edits):
    text = DOCUMENT
    for at, cut, word in edits:
        text = text[:at] + word + text[at + cut :]
    read(text)


FILES = st.sampled_from(
    ["a.toml", "b.toml", "sites/c.toml", "*.toml", "*/*.toml", "../a.toml", ".", "", "\x00", "/", "["]
)


@many
@given(st.lists(st.lists(FILES | st.text(max_size=9), max_size=4), min_size=4, max_size=4))
def test_no_include_confuses_a_store(tmp_path_factory, wanted):
    folder = tmp_path_factory.mktemp("documents", numbered=True)
    (folder / "sites").mkdir()
    for name, files in zip(("policy.toml", "a.toml", "b.toml", "sites/c.toml"), wanted, strict=True):
        words = ", ".join(map(toml_text, files))
        (folder / name).write_text(f'include = [{words}]\n[[filter]]\nname = "{name}"\nblock = "any"\n')
    store = FileStore(folder / "policy.toml")
    with suppress(PolicyError):
        names = [one.name for one in store.load().policy.filters]
        assert names[-1] == "policy.toml"
        assert len(names) == len(set(names))
    assert not store.changed()


def capture(*packets: bytes) -> bytes:
    file = BytesIO()
    writer = PcapWriter(file)
    for number, packet in enumerate(packets):
        writer.write(Frame(number, packet))
    return file.getvalue()


CAPTURE = capture(b"one", b"", bytes(1500))


@many
@given(st.binary(max_size=200), st.booleans())
def test_no_octets_confuse_a_capture(octets, headed):
    with suppress(BadCapture):
        assert sum(len(frame.octets) for frame in read_pcap(BytesIO(CAPTURE[:24] * headed + octets))) <= len(octets)


@many
@given(st.integers(0, len(CAPTURE) - 1), st.integers(0, 255), st.integers(0, len(CAPTURE)))
def test_no_bend_confuses_a_capture(place, value, end):
    bent = bytearray(CAPTURE)
    bent[place] = value
    with suppress(BadCapture):
        assert sum(len(frame.octets) for frame in read_pcap(BytesIO(bent[:end]))) <= len(CAPTURE)


FLOWS = (
    b"protocol,source,source_port,destination,destination_port\ntcp,10.0.0.5,1,10.0.0.9,2\n",
    b"ipv4 2 tcp 6 9 ESTABLISHED src=10.0.0.5 dst=10.0.0.9 sport=1 dport=2 src=10.0.0.9 dst=10.0.0.5 sport=2 dport=1\n",
    capture(bytes(12) + b"\x08\0" + bytes.fromhex("450000280000000040060000") + bytes(28)),
)


@many
@given(st.sampled_from(FLOWS), st.integers(0, 200), st.binary(max_size=3), st.integers(0, 3))
def test_no_bend_confuses_a_list_of_flows(flows, place, octets, cut):
    with suppress(BadCapture):
        assert len(read_flows(BytesIO(flows[:place] + octets + flows[place + cut :]), name="flows")) <= 2
