# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Lower case as Python has it."""

from tokenizers import Regex, normalizers


def lower_case() -> list[normalizers.Normalizer]:
    """Python's lower() knows that a sigma at a word's end is another letter; the library's does not."""
    return [normalizers.Replace(Regex(r"(?<=\p{L})Σ(?!\p{L})"), "ς"), normalizers.Lowercase()]
