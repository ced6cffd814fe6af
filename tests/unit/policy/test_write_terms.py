# SPDX-License-Identifier: Apache-2.0
"""That all of it is read again is tried in test_write; here is how it looks."""

from ringfence.policy.document import parse
from ringfence.policy.write import canonical, effective

TEXT = """\
[global]
idle-time = "10 min"
auth = "kerberos"
lifetime = { time = "30 min" }
tunnel-authorization = { computers = "*.corp.example", deny.users = "mallory" }

[auth-set."both"]
first = { psk-file = "lab.psk" }

[quick-mode-crypto."plain"]

[[main-mode]]
name = "the old server"
with = "10.0.0.9"
auth-set = "both"
lifetime = "60 min"

[[rule]]
name = "lab"
with = "10.77.0.0/24"
"""


def test_what_is_said_and_no_more() -> None:
    assert canonical(parse(TEXT, name="policy.toml")) == TEXT


def test_where_each_value_comes_from() -> None:
    text = effective(parse(TEXT, name="policy.toml"))
    found = {" ".join(line.partition("#")[0].split()): line.partition("#")[2].strip() for line in text.splitlines()}
    assert found["[global]"] == "policy.toml:1"
    assert found['idle-time = "10 min"'] == "line 2"
    assert found['exempt = ["neighbor-discovery", "dhcp"]'] == "default"
    assert found['auth-set = "both"'] == "line 15"
    assert found['auth = "kerberos"'] == "[global], line 3", "the rule's, which comes last"
    assert found['lifetime.time = "30 min"'] == "[global], line 4"
    assert found["sessions = 0"] == "default"
