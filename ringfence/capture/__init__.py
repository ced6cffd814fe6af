# SPDX-License-Identifier: Apache-2.0
"""Captures and key logs for packet analysers."""
