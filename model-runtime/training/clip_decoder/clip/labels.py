# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Common label texts: a checkpoint's text tower is measured on them, and its bundle starts with them."""

import csv
from pathlib import Path

import numpy as np
import torch

from clip_decoder.clip.towers import Towers
from clip_decoder.text import fill_templates

NAMES = ["person", "child", "dog", "cat", "bird", "horse", "fish", "flower", "tree", "forest", "mountain", "beach", "sea", "river", "snow", "sky", "sunset", "street", "city", "building", "church", "bridge", "car", "bus", "train", "bicycle", "boat", "airplane", "food", "bread", "fruit", "cake", "cup", "table", "chair", "bed", "book", "computer", "telephone", "guitar", "football", "painting", "clock", "hat", "shoe"]


def common_label_embeddings(towers: Towers, templates: tuple[str, ...]) -> np.ndarray:
    """Embeddings of common labels in the first template, with the norm that the text tower gives them: [L, D]"""
    rows = []
    with torch.no_grad():
        for name in NAMES:
            rows.append(towers.text(*towers.tokenize(fill_templates(name, templates[:1])))[0])
    return torch.stack(rows).numpy()


def write_vocabulary(path: Path) -> None:
    """The common labels as a vocabulary to start with; thresholds are left to the bundle's default."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "name"])
        writer.writerows((name, name) for name in NAMES)
