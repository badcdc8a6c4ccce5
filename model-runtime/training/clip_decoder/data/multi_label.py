# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Any set of photos with any number of labels each: ``labels.csv`` with the columns image,labels (``|``-separated) and
optionally split (train, calibrate, test), beside the images (files or tar archives)."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clip_decoder.config import DataConfig, TextConfig
from clip_decoder.data.dataset import CALIBRATE, TEST, TRAIN, LabelledImages, LabelSpace
from clip_decoder.data.labels import LabelFileError
from clip_decoder.text import TextEncoder, fill_templates

SPLITS = {"train": TRAIN, "calibrate": CALIBRATE, "test": TEST}
TEST_SHARE, CALIBRATION_SHARE = 0.2, 0.1


@dataclass
class Annotations:
    """``labels``: names in order of first use; ``targets`` bool [N, L]; ``splits`` int8 [N]."""

    images: list[str]
    labels: list[str]
    targets: np.ndarray
    splits: np.ndarray


def read_annotations(path: Path, seed: int) -> Annotations:
    """Raises LabelFileError for a missing column, an image given twice, an empty label name or an unknown split."""
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
    return Annotations([row["image"] for row in rows], list(labels), targets, _splits(path, rows, seed))


def build_multi_label(
    annotations: Annotations, text: TextEncoder, data: DataConfig, config: TextConfig
) -> tuple[LabelledImages, LabelSpace]:
    """One source, one group of labels; what is not named is not there."""
    vectors = np.stack(
        [
            np.stack([text.label_vector(fill_templates(name, config.templates)), text.label_vector([name])])
            for name in annotations.labels
        ]
    )
    seen = np.ones(len(annotations.labels), bool)
    if data.unseen_share > 0:
        shuffled = np.random.default_rng(data.label_split_seed).permutation(len(seen))
        seen[shuffled[: round(len(seen) * data.unseen_share)]] = False
    sentences = np.stack(
        [
            text.encode("a photo of " + (", ".join(np.array(annotations.labels)[row]) or "something") + ".")[None]
            for row in annotations.targets
        ]
    )
    images = LabelledImages(
        annotations.images,
        ("images",),
        np.zeros(len(annotations.images), int),
        annotations.splits,
        annotations.targets.astype(np.float16),
        np.ones(annotations.targets.shape, np.float16),
        sentences.astype(np.float16),
    )
    every, none = np.ones(len(seen), bool), np.zeros(len(seen), bool)
    return images, LabelSpace(annotations.labels, vectors, np.zeros(len(seen), int), seen, every, none)


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
