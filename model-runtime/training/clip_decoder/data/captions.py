# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Captions to label evidence: a label counts as named where one of its terms occurs as whole words."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

WORD = re.compile(r"[a-z0-9]+")
LONGEST_TERM = 3


def read_captions(path: Path) -> dict[str, list[str]]:
    """``image,caption`` rows -> captions by image, in file order."""
    captions: dict[str, list[str]] = defaultdict(list)
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            captions[row["image"]].append(row["caption"])
    return dict(captions)


def phrases(text: str) -> set[str]:
    """All runs of one to three words, lower case."""
    words = WORD.findall(text.lower())
    return {
        " ".join(words[start : start + length])
        for length in range(1, LONGEST_TERM + 1)
        for start in range(len(words) - length + 1)
    }


def with_plurals(terms: Iterable[str]) -> set[str]:
    """The terms and their regular plurals, as caption phrases."""
    found = set()
    for term in terms:
        words = " ".join(WORD.findall(term.lower()))
        found |= {words, words + "s", words + "es"}
    return found


class Mentions:
    """For each label's terms, how many of the given captions name it."""

    def __init__(self, terms: list[set[str]]):
        self._count = len(terms)
        self._by_term: dict[str, list[int]] = defaultdict(list)
        for index, label_terms in enumerate(terms):
            for term in label_terms:
                self._by_term[term].append(index)

    def counts(self, captions: Iterable[str]) -> list[int]:
        counts = [0] * self._count
        for caption in captions:
            for index in {index for phrase in phrases(caption) for index in self._by_term.get(phrase, ())}:
                counts[index] += 1
        return counts


def frequent_words(captions: Iterable[Iterable[str]], minimum: int) -> list[str]:
    """Words in the captions of at least ``minimum`` images, the most frequent first."""
    counts: Counter[str] = Counter()
    for texts in captions:
        counts.update({word for text in texts for word in WORD.findall(text.lower())})
    return [word for word, count in counts.most_common() if count >= minimum]
