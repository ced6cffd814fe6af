# SPDX-License-Identifier: Apache-2.0
"""Addresses and IP packets, as octets."""
