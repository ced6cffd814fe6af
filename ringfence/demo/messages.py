# SPDX-License-Identifier: Apache-2.0
"""What each message of main mode and quick mode says, for somebody who has never seen one."""

MEANINGS = {
    ("main mode", 1): "I would like to talk in secret. These are the methods that I accept.",
    ("main mode", 2): "Then we take this one.",
    ("main mode", 3): "My half of a key. Who overhears both halves still cannot put them together.",
    ("main mode", 4): "My half. From here on every word is encrypted.",
    ("main mode", 5): "This is who I am, and proof that I know the key in the file.",
    ("main mode", 6): "This is who I am, and the same proof.",
    ("quick mode", 1): "For our traffic I offer these protections.",
    ("quick mode", 2): "This one. Here is my number for your packets, and fresh chance for the keys.",
    ("quick mode", 3): "Agreed; begin.",
}
