# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Any set of photos with any number of labels each: ``labels.csv`` with the columns image,labels (``|``-separated) and
optionally split (train, calibrate, test), beside the images (files or tar archives)."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clip_decoder.config import DataConfig, TextConfig
from clip_decoder.data.dataset import CALIBRATE, TEST, TRAIN, LabelledImages, LabelSpace
from clip_decoder.data.labels import LabelFileError
from clip_decoder.text import TextEncoder, TextTooLongError, fill_templates

SPLITS = {"train": TRAIN, "calibrate": CALIBRATE, "test": TEST}
TEST_SHARE, CALIBRATION_SHARE = 0.2, 0.1
ONE_SOURCE = ("images",)


@dataclass
class Annotations:
    """``targets`` bool [N, L]; ``splits`` int8 [N]; ``seen`` bool [L]: False for labels kept from training."""

    images: list[str]
    labels: list[str]
    targets: np.ndarray
    splits: np.ndarray
    seen: np.ndarray

    def of(self, images: list[str]) -> "Annotations":
        """Those of some of the images, in the order given."""
        row_of = {name: row for row, name in enumerate(self.images)}
        rows = [row_of[name] for name in images]
        return Annotations(images, self.labels, self.targets[rows], self.splits[rows], self.seen)


def read_annotations(path: Path, seed: int) -> Annotations:
    """Labels in the order of their first use, all of them seen.

    Raises LabelFileError for a missing column, an image given twice, an empty label name or an unknown split."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if not {"image", "labels"} <= set(reader.fieldnames or ()):
                raise LabelFileError(f"{path}: needs the columns image and labels, has {reader.fieldnames}")
            rows = list(reader)
    except FileNotFoundError as error:
        raise LabelFileError(f"no such label file: {path}") from error
    labels: dict[str, int] = {}
    named: list[list[int]] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        if row["image"] in seen:
            raise LabelFileError(f"{path}:{number}: {row['image']!r} is already given on line {seen[row['image']]}")
        seen[row["image"]] = number
        names = [name.strip() for name in row["labels"].split("|")] if row["labels"].strip() else []
        if "" in names:
            raise LabelFileError(f"{path}:{number}: an empty label name in {row['labels']!r}")
        if len(set(names)) < len(names):
            raise LabelFileError(f"{path}:{number}: a label is given twice in {row['labels']!r}")
        named.append([labels.setdefault(name, len(labels)) for name in names])
    if not labels:
        raise LabelFileError(f"{path}: no labels in it")
    targets = np.zeros((len(rows), len(labels)), bool)
    for row_number, indices in enumerate(named):
        targets[row_number, indices] = True
    splits = _splits(path, rows, seed)
    return Annotations([row["image"] for row in rows], list(labels), targets, splits, np.ones(len(labels), bool))


def build_multi_label(
    annotations: Annotations, text: TextEncoder, data: DataConfig, config: TextConfig
) -> tuple[LabelledImages, LabelSpace]:
    """One source, one group of labels; what is not named is not there.

    Nothing about unseen labels is known of images that training or calibration sees: not in sentences, not as targets.
    """
    wordings = [config.templates, *([one] for one in config.training_templates)]
    vectors = np.stack(
        [
            np.stack([text.label_vector(fill_templates(name, wording)) for wording in wordings])
            for name in annotations.labels
        ]
    )
    seen = annotations.seen.copy()
    if data.unseen_share > 0:
        shuffled = np.random.default_rng(data.label_split_seed).permutation(len(seen))
        seen[shuffled[: round(len(seen) * data.unseen_share)]] = False
    known = (annotations.splits == TEST)[:, None] | seen[None, :]
    targets = annotations.targets & known
    trained = annotations.splits == TRAIN
    sentences = np.zeros((len(targets), 1, vectors.shape[2]), np.float16)
    for row, sentence in zip(
        np.flatnonzero(trained), _sentences(annotations.labels, targets[trained] & seen, text), strict=True
    ):
        sentences[row, 0] = sentence
    images = LabelledImages(
        annotations.images,
        ONE_SOURCE,
        np.zeros(len(annotations.images), int),
        annotations.splits,
        targets.astype(np.float16),
        known.astype(np.float16),
        sentences,
    )
    every, none = np.ones(len(seen), bool), np.zeros(len(seen), bool)
    return images, LabelSpace(annotations.labels, vectors, np.zeros(len(seen), int), seen, every, none)


def _sentences(names: list[str], targets: np.ndarray, text: TextEncoder) -> Iterator[np.ndarray]:
    """A vector for every row of ``targets``: of a sentence with the row's labels, the rarest first.

    A text tower reads a few dozen words at most: where a row has more labels, the commonest are left out.
    """
    rarest_first = np.argsort(targets.sum(0), kind="stable")
    for row in targets:
        named = [names[label] for label in rarest_first[row[rarest_first]]] or ["something"]
        while True:
            try:
                yield text.encode("a photo of " + ", ".join(named) + ".")
                break
            except TextTooLongError:
                if len(named) == 1:
                    raise
                named = named[: -max(1, len(named) // 8)]


def _splits(path: Path, rows: list[dict[str, str]], seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed).random(len(rows))
    splits = np.where(draw < TEST_SHARE, TEST, np.where(draw < TEST_SHARE + CALIBRATION_SHARE, CALIBRATE, TRAIN))
    for number, row in enumerate(rows):
        stated = row.get("split")
        if stated:
            if stated not in SPLITS:
                raise LabelFileError(f"{path}:{number + 2}: unknown split {stated!r}; one of {', '.join(SPLITS)}")
            splits[number] = SPLITS[stated]
    return splits.astype(np.int8)
