# SPDX-License-Identifier: Apache-2.0
"""What goes wrong when a policy is fetched; each wraps the foreign error that caused it."""

from ringfence.errors import IpsecError


class StoreError(IpsecError):
    """A policy, or a key that it names, cannot be had."""
