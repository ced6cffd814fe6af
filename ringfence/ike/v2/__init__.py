# SPDX-License-Identifier: Apache-2.0
"""IKEv2 (RFC 7296)."""
