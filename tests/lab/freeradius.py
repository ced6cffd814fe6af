# SPDX-License-Identifier: Apache-2.0
"""A FreeRADIUS server of a test's own: users with passwords and certificates, on loopback."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECRET = b"a secret between the two"
PROGRAM = "freeradius"
LIBRARIES = "/usr/lib/freeradius"

CONFIGURATION = """
prefix = {folder}
localstatedir = {folder}
sbindir = /usr/sbin
logdir = {folder}
raddbdir = {folder}
radacctdir = {folder}
name = freeradius
confdir = {folder}
run_dir = {folder}
db_dir = {folder}
libdir = {libraries}
pidfile = {folder}/pid
max_request_time = 30
log {{
  destination = stdout
}}
security {{
  allow_vulnerable_openssl = yes
}}
thread pool {{
  start_servers = 1
  max_servers = 2
  min_spare_servers = 1
  max_spare_servers = 1
}}
client lab {{
  ipaddr = {address}
  secret = "{secret}"
  require_message_authenticator = yes
}}
modules {{
  eap {{
    default_eap_type = {method}
    tls-config lab {{
      private_key_file = {folder}/server.key
      certificate_file = {folder}/server.pem
      ca_file = {folder}/ca.pem
      tls_min_version = "{tls}"
      tls_max_version = "{tls}"
      fragment_size = 500
      ecdh_curve = ""
    }}
    tls {{
      tls = lab
    }}
    md5 {{
    }}
    gtc {{
      auth_type = PAP
    }}
    mschapv2 {{
    }}
  }}
  mschap {{
  }}
  pap {{
  }}
  files {{
    filename = {folder}/users
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = {address}
    port = {port}
  }}
  authorize {{
    eap {{
      ok = return
    }}
    files
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
    Auth-Type MS-CHAP {{
      mschap
    }}
    eap
  }}
}}
"""


def missing() -> str:
    """Why there is none here; empty where there is."""
    return "" if shutil.which(PROGRAM) else "FreeRADIUS is not installed (apt-get install freeradius)"


@contextmanager
def running(
    folder: Path, users: dict[str, str], certificates: tuple[bytes, bytes, bytes], *, method: str = "mschapv2",
    tls: str = "1.2", address: str = "127.0.0.1", prefix: tuple[str, ...] = (),
) -> Iterator[int]:  # fmt: skip
    """The port of a server that knows ``users`` by name and password.

    ``certificates`` in PEM: the server's, its key, the authority's. ``prefix`` is put before the command, such as to
    run it in a namespace.
    """
    folder.mkdir(exist_ok=True)
    port = _free_port()
    for name, octets in zip(("server.pem", "server.key", "ca.pem"), certificates, strict=True):
        (folder / name).write_bytes(octets)
    (folder / "users").write_text("".join(f'{name} Cleartext-Password := "{word}"\n' for name, word in users.items()))
    (folder / "radiusd.conf").write_text(
        CONFIGURATION.format(
            folder=folder, libraries=LIBRARIES, secret=SECRET.decode(), method=method, tls=tls, port=port,
            address=address,
        )
    )  # fmt: skip
    log = folder / "log"
    with log.open("wb") as out:
        command = [*prefix, PROGRAM, "-X", "-d", str(folder), "-n", "radiusd"]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait(process, log)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while b"Ready to process requests" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"FreeRADIUS does not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
