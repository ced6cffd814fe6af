# SPDX-License-Identifier: Apache-2.0
"""Hosts and cables out of network namespaces, for tests as for the demonstration; see ``demo.namespaces``."""

from ringfence.demo.namespaces import Cable, CommandFailed, Host, Lab, NoLab, routed_pair

__all__ = ["Cable", "CommandFailed", "Host", "Lab", "NoLab", "routed_pair"]
