# SPDX-License-Identifier: Apache-2.0
"""Policies as Windows has them, and the compiler from its words to those of RFC 4301."""
