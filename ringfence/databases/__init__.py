# SPDX-License-Identifier: Apache-2.0
"""The databases of RFC 4301 §4.4, and the vocabulary that all engines share."""
