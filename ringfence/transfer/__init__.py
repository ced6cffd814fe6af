# SPDX-License-Identifier: Apache-2.0
"""Policies of other programs, in and out: text becomes a ``Policy`` and back, and what cannot is named."""
