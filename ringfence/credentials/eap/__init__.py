# SPDX-License-Identifier: Apache-2.0
"""EAP (RFC 3748): conversations in which one side, the peer, proves itself to the other, the authenticator.

A method is a dialogue, written as a generator that reads like its specification and knows neither IKE nor sockets.
``peer.py`` and ``authenticator.py`` choose methods and carry their dialogues; ``conversations.py`` keeps those that are
under way for an IKE engine, which sees packets and, in the end, a key.
"""
