# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The data that training and evaluation read, wherever the images and labels came from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TRAIN, CALIBRATE, TEST = 0, 1, 2


@dataclass
class LabelSpace:
    """All labels that training asks about.

    ``vectors`` [L, V, D]: V renditions of each label (variant 0 is the one served), not centred. ``groups``: which part
    of the space a label belongs to; group 0 is what gets evaluated and published. ``seen`` [L]: False for labels kept
    from training. ``attested`` [L]: True where the data knows the label's absence too, not only its presence.
    ``people`` [L]: True for people and what they do, whose absence from photos of other things is known.
    """

    names: list[str]
    vectors: np.ndarray
    groups: np.ndarray
    seen: np.ndarray
    attested: np.ndarray
    people: np.ndarray

    def published(self) -> np.ndarray:
        return np.flatnonzero(self.groups == 0)


@dataclass
class ListedImages:
    """N images: ``sources`` [N], an index into ``source_names``; ``splits`` [N]: TRAIN, CALIBRATE or TEST."""

    names: list[str]
    source_names: tuple[str, ...]
    sources: np.ndarray
    splits: np.ndarray

    def rows(self, source: str | None, split: int) -> np.ndarray:
        chosen = self.splits == split
        if source is not None:
            chosen &= self.sources == self.source_names.index(source)
        return np.flatnonzero(chosen)

    def measured(self) -> "ListedImages":
        """Those that no training uses."""
        keep = np.flatnonzero(self.splits != TRAIN)
        names = [self.names[row] for row in keep]
        return ListedImages(names, self.source_names, self.sources[keep], self.splits[keep])


@dataclass
class LabelledImages(ListedImages):
    """With what is known about them.

    ``targets`` and ``weights`` [N, L], float16; ``texts`` [N, K, D]: unit vectors of K sentences about each image to
    train with, not centred, or None.
    """

    targets: np.ndarray
    weights: np.ndarray
    texts: np.ndarray | None

    def without(self, rows: Sequence[int]) -> "LabelledImages":
        """A copy without some rows (images that could not be decoded)."""
        keep = np.setdiff1d(np.arange(len(self.names)), np.asarray(rows, int))
        return LabelledImages(
            [self.names[row] for row in keep],
            self.source_names,
            self.sources[keep],
            self.splits[keep],
            self.targets[keep],
            self.weights[keep],
            None if self.texts is None else self.texts[keep],
        )


class SourceMix:
    """Batches with a fixed number of training images from every source, so that no source sets the tone alone."""

    def __init__(self, images: LabelledImages, images_per_source: dict[str, int], generator: np.random.Generator):
        unknown = set(images_per_source) - set(images.source_names)
        if unknown:
            raise ValueError(f"no such source: {', '.join(sorted(unknown))}; known are {', '.join(images.source_names)}")
        self._generator = generator
        self._parts = []
        for source, count in images_per_source.items():
            rows = images.rows(source, TRAIN)
            if count > 0 and len(rows) == 0:
                raise ValueError(f"source {source!r} has no training images")
            if count > 0:
                self._parts.append((rows, count))

    def __len__(self) -> int:
        """Images in a batch."""
        return sum(count for _, count in self._parts)

    def next(self) -> np.ndarray:
        """Row numbers of one batch, int [B]."""
        return np.concatenate(
            [self._generator.choice(rows, count, replace=count > len(rows)) for rows, count in self._parts]
        )
