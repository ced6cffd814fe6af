# SPDX-License-Identifier: Apache-2.0
"""What proves this computer, and whether what others prove by is to be trusted."""
