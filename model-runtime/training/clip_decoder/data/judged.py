# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Photos that were judged by eye: pairs of photo and label, and photos with people in them."""

import csv
from dataclasses import dataclass
from pathlib import Path

from clip_decoder.data.labels import LabelFileError

ANSWERS = {"1": True, "0": False}


@dataclass(frozen=True)
class Judgement:
    """``right``: the label is a fair tag of the photo."""

    image: str
    label: str
    right: bool


def read_judged(path: Path) -> list[Judgement]:
    """Reads ``image,label,right`` rows, right 1 or 0. Raises LabelFileError for another answer or a missing column."""
    with open(path, encoding="utf-8", newline="") as file:
        found = []
        for number, row in enumerate(csv.DictReader(file), 2):
            if None in row.values() or not {"image", "label", "right"} <= row.keys():
                raise LabelFileError(f"{path}:{number}: expected the columns image,label,right")
            if row["right"] not in ANSWERS:
                raise LabelFileError(f"{path}:{number}: right must be 1 or 0, got {row['right']!r}")
            found.append(Judgement(row["image"], row["label"], ANSWERS[row["right"]]))
    return found


def read_people(path: Path) -> set[str]:
    """Reads a list of images with the header ``image``. Raises LabelFileError without it or for one given twice."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = [line.strip() for line in file]
    if lines[:1] != ["image"]:
        raise LabelFileError(f"{path}:1: expected the header image")
    found = set()
    for number, image in enumerate(lines[1:], 2):
        if image in found:
            raise LabelFileError(f"{path}:{number}: {image} is given twice")
        found.add(image)
    return found
