# SPDX-License-Identifier: Apache-2.0
"""Ringfence: IPsec for Linux, with the policy model of Windows."""

__version__ = "0.1.0"
