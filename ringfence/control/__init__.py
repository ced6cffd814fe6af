# SPDX-License-Identifier: Apache-2.0
"""The API: HTTP over a local socket."""
