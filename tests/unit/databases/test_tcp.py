# SPDX-License-Identifier: Apache-2.0
"""When TCP is used, in words."""

from ringfence.databases.tcp import PORT, Tcp, TcpUse


def test_words():
    assert [str(one) for one in (Tcp(), Tcp(TcpUse.ONLY), Tcp(port=443))] == ["fallback", "only", "fallback, port 443"]


def test_what_excludes_udp():
    assert [Tcp(use).only for use in TcpUse] == [False, True]
    assert Tcp().port == PORT == 4500
