# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The noun hierarchy of WordNet 3.0 from its dictionary files (Debian: wordnet-base, in /usr/share/wordnet).

ImageNet's class ids are byte offsets into ``data.noun``, so that a label such as "dog" collects all of its breeds."""

from functools import cache
from pathlib import Path

HYPERNYM_POINTERS = ("@", "@i")


class WordNet:
    """Reads synsets on demand; ids are offsets as in ImageNet ("n02084071" is 2084071)."""

    def __init__(self, directory: Path):
        directory = Path(directory)
        try:
            self._data = (directory / "data.noun").read_bytes()
            index = (directory / "index.noun").read_text(encoding="utf-8")
        except OSError as error:
            raise FileNotFoundError(f"no WordNet dictionary files in {directory}: {error}") from error
        self._senses: dict[str, list[int]] = {}
        for line in index.splitlines():
            if not line.startswith(" "):
                fields = line.split()
                self._senses[fields[0]] = [int(offset) for offset in fields[-int(fields[2]) :]]

    def synset(self, name: str) -> int:
        """``lemma`` (its first sense) or ``lemma#sense`` -> offset."""
        lemma, _, sense = name.partition("#")
        senses = self._senses.get(lemma.lower())
        number = int(sense or 1)
        if senses is None or number > len(senses):
            raise ValueError(f"WordNet has no noun {name!r}")
        return senses[number - 1]

    def senses(self, lemma: str) -> list[int]:
        """All synsets of a noun, the most frequent first; empty for a word that is no noun."""
        return self._senses.get(lemma.lower().replace(" ", "_"), [])

    @cache  # noqa: B019 - one instance lives as long as the process
    def words(self, synset: int) -> tuple[str, ...]:
        fields = self._fields(synset)
        return tuple(fields[4 + 2 * i].replace("_", " ") for i in range(int(fields[3], 16)))

    @cache  # noqa: B019
    def ancestors(self, synset: int) -> frozenset[int]:
        """The synset itself and everything above it."""
        found = {synset}
        for parent in self._parents(synset):
            found |= self.ancestors(parent)
        return frozenset(found)

    def _parents(self, synset: int) -> list[int]:
        fields = self._fields(synset)
        start = 4 + 2 * int(fields[3], 16)
        pointers = fields[start + 1 : start + 1 + 4 * int(fields[start])]
        return [int(pointers[i + 1]) for i in range(0, len(pointers), 4) if pointers[i] in HYPERNYM_POINTERS]

    def _fields(self, synset: int) -> list[str]:
        line = self._data[synset : self._data.index(b"\n", synset)].decode()
        if not line.startswith(f"{synset:08d}"):
            raise ValueError(f"{synset:08d} is not the start of a WordNet noun")
        return line.partition(" | ")[0].split()
