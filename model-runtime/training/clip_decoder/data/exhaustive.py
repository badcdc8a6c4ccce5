# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Photos of everyday scenes with every name of a list judged, and the fold of them that is kept for figures."""

import csv
import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from clip_decoder.data.labels import LabelFileError
from clip_decoder.data.scenery import Scenery

KEPT = 56
KEPT_LIST = "coco80"


def read_exhaustive(path: Path, called: Mapping[str, str]) -> dict[str, Scenery]:
    """Reads ``image,judged,labels`` rows; what is known of the photos of each list, by the list's name (``judged``).

    A list consists of the names that its photos have. Each name that a photo does not have is absent from it; names of
    other lists are unknown. ``called``: label names by such names, where they differ. Raises LabelFileError for a missing
    column or a photo given twice.
    """
    lists: dict[str, dict[str, set[str]]] = {}
    seen: set[str] = set()
    with open(path, encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            if None in row.values() or not {"image", "judged", "labels"} <= row.keys():
                raise LabelFileError(f"{path}:{number}: expected the columns image,judged,labels")
            if row["image"] in seen:
                raise LabelFileError(f"{path}:{number}: {row['image']} is given twice")
            seen.add(row["image"])
            names = filter(None, row["labels"].split("|"))
            lists.setdefault(row["judged"], {})[row["image"]] = {called.get(name, name) for name in names}
    found = {}
    for name, photos in lists.items():
        words = sorted(set().union(*photos.values()))
        present = np.array([[word in names for word in words] for names in photos.values()], bool)
        found[name] = Scenery(list(photos), words, present.reshape(len(photos), -1), np.ones((len(photos), len(words)), bool))
    return found


def kept_fold(images: Collection[str], count: int = KEPT) -> set[str]:
    """The photos that no training, calibration or choice may use: those whose names have the lowest SHA-256."""
    return set(sorted(images, key=lambda image: hashlib.sha256(image.encode()).hexdigest())[:count])


def learned_and_kept(lists: Mapping[str, Scenery]) -> tuple[Scenery, Scenery]:
    """The photos of ``coco80`` that may be learned from, and its kept fold. ValueError without that list."""
    if KEPT_LIST not in lists:
        raise ValueError(f"no photo is judged for {KEPT_LIST}, of which a fold is kept for figures")
    everything = lists[KEPT_LIST]
    kept = kept_fold(everything.images)
    mask = np.array([image in kept for image in everything.images])
    return everything.photos(~mask), everything.photos(mask)
