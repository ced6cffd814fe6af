# SPDX-License-Identifier: Apache-2.0
"""Declare a wire format once; the codec is compiled from the declaration."""
