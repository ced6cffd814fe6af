# SPDX-License-Identifier: Apache-2.0
"""``python -m ringfence``."""

from ringfence.cli.main import run

if __name__ == "__main__":
    run()
