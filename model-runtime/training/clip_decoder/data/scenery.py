# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Photos judged for the words of a list: which of them each one shows."""

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clip_decoder.data.labels import LabelFileError

FEWEST_PRESENT = 10


@dataclass(frozen=True)
class Scenery:
    """``present`` and ``known``, bool [N, W]: which words are fair tags of which photos, and where that was clear."""

    images: list[str]
    words: list[str]
    present: np.ndarray
    known: np.ndarray

    def photos(self, chosen: np.ndarray) -> "Scenery":
        """Only some of the photos, bool or int [n]."""
        images = [self.images[row] for row in np.arange(len(self.images))[chosen]]
        return Scenery(images, self.words, self.present[chosen], self.known[chosen])

    def columns(self, words: list[str]) -> "Scenery":
        chosen = [self.words.index(word) for word in words]
        return Scenery(self.images, words, self.present[:, chosen], self.known[:, chosen])


def combined(parts: Sequence[Scenery], called: Mapping[str, str] | None = None) -> Scenery:
    """All photos and words of several lists; a word is unknown for a photo that was not judged for it, or that two lists
    judge differently.

    ``called``: label names by the words of the lists, where they differ. If two words are one label, either will do.
    """
    called = called or {}
    images = list(dict.fromkeys(image for part in parts for image in part.images))
    words = sorted({called.get(word, word) for part in parts for word in part.words})
    rows, columns = ({name: at for at, name in enumerate(names)} for names in (images, words))
    yes, no = np.zeros((2, len(images), len(words)), bool)
    for part in parts:
        at = [rows[image] for image in part.images]
        found, lacking = np.zeros((2, len(at), len(words)), bool)
        for column, word in enumerate(part.words):
            place = columns[called.get(word, word)]
            found[:, place] |= part.present[:, column] & part.known[:, column]
            lacking[:, place] |= ~part.present[:, column] & part.known[:, column]
        yes[at] |= found
        no[at] |= lacking & ~found
    return Scenery(images, words, yes & ~no, yes ^ no)


def read_scenery(path: Path, judged: Collection[str] = ()) -> Scenery:
    """Reads ``image,present,unsure`` rows, words separated by ``|``; every word that is present in any photo was judged
    for all photos, and so were the words of ``judged``. Raises LabelFileError for a missing column, a photo given twice or a word both present and unsure.
    """
    rows: dict[str, tuple[set[str], set[str]]] = {}
    with open(path, encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            if None in row.values() or not {"image", "present", "unsure"} <= row.keys():
                raise LabelFileError(f"{path}:{number}: expected the columns image,present,unsure")
            present, unsure = (set(filter(None, row[name].split("|"))) for name in ("present", "unsure"))
            if present & unsure:
                raise LabelFileError(f"{path}:{number}: both present and unsure: {', '.join(sorted(present & unsure))}")
            if row["image"] in rows:
                raise LabelFileError(f"{path}:{number}: {row['image']} is given twice")
            rows[row["image"]] = present, unsure
    words = sorted({word for present, _ in rows.values() for word in present} | set(judged))
    return Scenery(
        list(rows),
        words,
        np.array([[word in present for word in words] for present, _ in rows.values()], bool),
        np.array([[word not in unsure for word in words] for _, unsure in rows.values()], bool),
    )
