# SPDX-License-Identifier: Apache-2.0
"""AH and ESP: octets in, verdict out."""
