# SPDX-License-Identifier: Apache-2.0
"""Key exchange: IKEv1 so far; pure engines, effects out and replies in."""
