# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""What the words of judged photos are called elsewhere, and which of them a vocabulary gains."""

import csv
from dataclasses import dataclass
from pathlib import Path

from clip_decoder.data.labels import LabelFileError, slug


@dataclass(frozen=True)
class Word:
    """``prompts``: as in a vocabulary; ``called``: other names, which lists of judged photos may use."""

    name: str
    prompts: str
    called: tuple[str, ...]

    def row(self) -> dict[str, str]:
        """As a vocabulary states it."""
        return {"id": slug(self.name), "name": self.name, "prompts": self.prompts, "threshold": "", "state": ""}


def read_words(path: Path) -> list[Word]:
    """Reads ``name,prompts,called`` rows, several prompts or names separated by ``|``. Raises LabelFileError for a missing
    column or a name that stands for two words."""
    found: list[Word] = []
    taken: set[str] = set()
    with open(path, encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            if None in row.values() or not {"name", "prompts", "called"} <= row.keys():
                raise LabelFileError(f"{path}:{number}: expected the columns name,prompts,called")
            word = Word(row["name"], row["prompts"], tuple(filter(None, row["called"].split("|"))))
            for name in (word.name, *word.called):
                if name in taken:
                    raise LabelFileError(f"{path}:{number}: {name!r} stands for two words")
                taken.add(name)
            found.append(word)
    return found


def by_other_name(words: list[Word]) -> dict[str, str]:
    """Names of words by what else they are called."""
    return {name: word.name for word in words for name in word.called}
