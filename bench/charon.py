# SPDX-License-Identifier: Apache-2.0
"""Two strongSwan daemons that exchange keys as fast as they can, for ``exchanges.py``.

Each runs in its host's network namespace with its own /run and settings. There is a connection for each of the
responder's addresses, initiated over the daemon's control socket (vici) by as many clients at a time as there are to be
exchanges under way.
"""

import socket
import threading
import time
from pathlib import Path
from shutil import copytree
from subprocess import Popen
from types import TracebackType
from typing import Self

from ringfence.testing.namespaces import Host

CHARON = Path("/usr/lib/ipsec/charon")
REQUEST, RESPONSE = 0, 1
KEY_VALUE = 3
PLUGINS = (
    "random nonce openssl pem pkcs1 pkcs8 pubkey x509 constraints revocation hmac kdf "
    "kernel-libipsec kernel-netlink socket-default vici"
)
SETTINGS = """
charon {{
  threads = 48
  reuse_ikesa = no
  install_routes = no
  install_virtual_ip = no
  load = {plugins}
  ikesa_table_size = 4096
  ikesa_table_segments = 16
  init_limit_half_open = 0
  cookie_threshold = 0
  block_threshold = 0
  retransmit_timeout = 0.1
  retransmit_base = 1
  retransmit_tries = 50
  plugins {{
    kernel-libipsec {{ allow_peer_ts = yes }}
    vici {{ socket = unix://{folder}/vici }}
  }}
}}
"""
CONNECTION = """
connections {{ {name} {{
  version = {version}
  encap = yes
  unique = never
  local_addrs = {local}
  remote_addrs = {remote}
  proposals = {proposal}
  rekey_time = 0
  local {{ {local_proof} }}
  remote {{ {remote_proof} }}
  children {{ {name} {{ local_ts = {local_ts}
                        remote_ts = {remote_ts}
                        rekey_time = 0
                        esp_proposals = aes256gcm16 }} }}
}} }}
"""
SECRET = 'secrets {{ ike-bench {{ secret = "{key}" }} }}\n'
NETS = "10.79.1.0/24", "10.79.2.0/24"
"""Behind the tunnel, and so not in the way of IKE itself."""
INSIDE = 'mount --bind "$0/run" /run && export STRONGSWAN_CONF=$0/strongswan.conf && exec "$@"'


def _proofs(key: str | Path, side: str, other: str) -> dict[str, str]:
    """How ``side`` proves itself, and how the one at the address ``other`` does."""
    if isinstance(key, str):
        return {"local_proof": "auth = psk", "remote_proof": f"auth = psk\n            id = {other}"}
    named = {one: f'auth = pubkey\n            id = "CN={one}.bench"' for one in ("left", "right")}
    their = "right" if side == "left" else "left"
    return {"local_proof": f"{named[side]}\n            certs = one.pem", "remote_proof": named[their]}


class Vici:
    """One client of a daemon; only what is needed here."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def ask(self, command: str, **values: str) -> bytes:
        """The answer's octets, undecoded; raises RuntimeError when it says that nothing came of it."""
        packet = bytes([REQUEST, len(command)]) + command.encode()
        for key, value in values.items():
            packet += bytes([KEY_VALUE, len(key)]) + key.encode() + len(value).to_bytes(2) + value.encode()
        self._socket.sendall(len(packet).to_bytes(4) + packet)
        answer = self._take(int.from_bytes(self._take(4)))
        if answer[0] != RESPONSE or b"success\x00\x02no" in answer:
            raise RuntimeError(f"charon: {answer!r}")
        return answer

    def _take(self, octets: int) -> bytes:
        taken = b""
        while len(taken) < octets:
            taken += self._socket.recv(octets - len(taken))
        return taken


class Charon:
    """The two daemons, as long as it is entered."""

    def __init__(
        self,
        hosts: tuple[Host, Host],
        folder: Path,
        ends: tuple[str, list[str]],
        version: int,
        proposal: str,
        key: str | Path,
    ) -> None:
        """The left one begins from its address with each of the addresses that the right one has.

        ``key`` is one that both know, or a folder with certificates for each (``papers``).
        """
        self._hosts = hosts
        self._folders = folder / "left", folder / "right"
        self._running: list[Popen[str]] = []
        self.responder = 0
        """Its process."""
        initiator, responders = ends
        shared = {"version": version, "proposal": proposal}
        ours, theirs = NETS
        begins = "".join(
            CONNECTION.format(
                name=f"bench{number}",
                local=initiator,
                remote=each,
                **_proofs(key, "left", each),
                local_ts=ours,
                remote_ts=theirs,
                **shared,
            )
            for number, each in enumerate(responders)
        )
        answers = CONNECTION.format(
            name="bench", local="%any", remote=initiator, local_ts=theirs, remote_ts=ours,
            **_proofs(key, "right", initiator), **shared,
        )  # fmt: skip
        self._count = len(responders)
        for one, said in zip(self._folders, (begins, answers), strict=True):
            (one / "run").mkdir(parents=True)
            (one / "strongswan.conf").write_text(SETTINGS.format(folder=one, plugins=PLUGINS))
            if isinstance(key, Path):
                copytree(key / one.name, one, dirs_exist_ok=True)
                (one / "swanctl.conf").write_text(said)
            else:
                (one / "swanctl.conf").write_text(said + SECRET.format(key=key))

    def __enter__(self) -> Self:
        for host, folder in zip(self._hosts, self._folders, strict=True):
            words = "unshare", "-m", "--propagation", "private", "bash", "-c", INSIDE, str(folder), str(CHARON)
            log = (folder / "log").open("w")
            self._running.append(host.spawn(*words, stdout=log, stderr=log))
        for host, folder in zip(self._hosts, self._folders, strict=True):
            end = time.monotonic() + 20
            while not (folder / "vici").exists():
                if time.monotonic() > end:
                    raise RuntimeError(f"charon does not start: {(folder / 'log').read_text()[-2000:]}")
                time.sleep(0.1)
            load = "swanctl", "--load-all", "--noprompt", "--file", str(folder / "swanctl.conf")
            host.run(*load, "--uri", f"unix://{folder}/vici", seconds=60)
        self.responder = self._running[1].pid
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(30)

    def exchanges(self, at_once: int) -> float:
        """Seconds that one with each address took; raises RuntimeError when one came to nothing."""
        left, lock, wrong = iter(range(self._count)), threading.Lock(), list[Exception]()

        def client() -> None:
            vici = Vici(self._folders[0] / "vici")
            try:
                while True:
                    with lock:
                        number = next(left, None)
                    if number is None:
                        return
                    name = f"bench{number}"
                    vici.ask("initiate", child=name, ike=name, timeout="20000", loglevel="-1")
            except (OSError, RuntimeError) as error:
                wrong.append(error)
            finally:
                vici.close()

        clients = [threading.Thread(target=client) for _ in range(at_once)]
        begin = time.monotonic()
        for each in clients:
            each.start()
        for each in clients:
            each.join()
        if wrong:
            raise wrong[0]
        return time.monotonic() - begin
