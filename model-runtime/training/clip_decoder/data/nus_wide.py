# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""NUS-WIDE (Chua et al. 2009) in its public layout, under the zero-shot protocol of 925 seen and 81 unseen labels.

    ImageList/{TrainImagelist,TestImagelist}.txt    image paths, backslashes as published
    Groundtruth/TrainTestLabels/Labels_<concept>_{Train,Test}.txt    0 or 1 a line, 81 concepts
    NUS_WID_Tags/{Train_Tags1k.dat,Test_Tags1k.dat}   0 or 1, 1,000 columns
    TagList1k.txt   the 1,000 tags; 75 of them are among the 81 concepts and are left out of the seen ones
    Flickr/...      the images

Images without any label are left out, as the published results do.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clip_decoder.data.dataset import TEST, TRAIN
from clip_decoder.data.labels import LabelFileError


@dataclass
class NusWide:
    """``images``: file names; ``labels``: seen ones first; ``seen`` bool [L]; ``targets`` bool and ``known`` bool [N, L];
    ``splits`` [N]. The human-checked concepts are known everywhere; user tags are what training sees."""

    images: list[str]
    labels: list[str]
    seen: np.ndarray
    targets: np.ndarray
    known: np.ndarray
    splits: np.ndarray


def read_unseen(path: Path) -> list[str]:
    """A JSON list of the unseen concepts."""
    names = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(names, list) or len(set(names)) != len(names):
        raise LabelFileError(f"{path}: must be a JSON list of different names")
    return names


def read_nus_wide(directory: Path, unseen: list[str]) -> NusWide:
    """Reads the layout above. Raises LabelFileError for a missing file or files of unequal length."""
    directory = Path(directory)
    tags = _lines(directory / "TagList1k.txt")
    taken = {name.lower() for name in unseen}
    kept = [index for index, tag in enumerate(tags) if tag.lower() not in taken]
    names: list[str] = []
    tag_rows, concept_rows, splits = [], [], []
    for part, split in (("Train", TRAIN), ("Test", TEST)):
        images = [line.replace("\\", "/") for line in _lines(directory / "ImageList" / f"{part}Imagelist.txt")]
        part_tags = _matrix(directory / "NUS_WID_Tags" / f"{part}_Tags1k.dat", len(images), len(tags))
        concepts = np.column_stack(
            [
                _matrix(
                    directory / "Groundtruth" / "TrainTestLabels" / f"Labels_{name}_{part}.txt", len(images), 1
                )[:, 0]
                for name in unseen
            ]
        )
        names += [Path(image).name for image in images]
        tag_rows.append(part_tags[:, kept])
        concept_rows.append(concepts)
        splits.append(np.full(len(images), split, np.int8))
    targets = np.concatenate([np.concatenate(tag_rows), np.concatenate(concept_rows)], axis=1)
    labelled = targets.any(1)
    seen = np.array([True] * len(kept) + [False] * len(unseen))
    return NusWide(
        [name for name, keep in zip(names, labelled, strict=True) if keep],
        [tags[index] for index in kept] + unseen,
        seen,
        targets[labelled],
        np.ones((int(labelled.sum()), len(seen)), bool),
        np.concatenate(splits)[labelled],
    )


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise LabelFileError(f"NUS-WIDE: no such file: {path}")
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _matrix(path: Path, rows: int, columns: int) -> np.ndarray:
    values = [line.split() for line in _lines(path)]
    if len(values) != rows:
        raise LabelFileError(f"{path}: {len(values)} lines, but {rows} images are listed")
    for number, line in enumerate(values, 1):
        if len(line) != columns or not set(line) <= {"0", "1"}:
            raise LabelFileError(f"{path}:{number}: expected {columns} values of 0 or 1")
    return np.array(values) == "1"
