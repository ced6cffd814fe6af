# SPDX-License-Identifier: Apache-2.0
"""The running host: wiring, sockets, effects."""
