# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Images as a trainable encoder reads them: decoded anew for every batch, since no layer's output can be kept."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from clip_decoder.data.augmentation import NONE, augmented
from clip_decoder.data.images import ImageStore, decode


class PhotoInputs:
    """uint8 [R, 3, S, S] of some rows of ``names``; every image must decode. Not safe for use from several threads."""

    def __init__(self, store: ImageStore, names: Sequence[str], size: int, rule: str, augmentation: str):
        self._store, self.names = store, list(names)
        self._size, self._rule, self._augmentation = size, rule, augmentation
        self._pool = ThreadPoolExecutor(os.cpu_count())  # decoding and scaling release Python's lock

    def draw(self, rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Augmented images."""
        return self._read(rows, self._augmentation, generator.spawn(len(rows)))

    def plain(self, rows: np.ndarray) -> np.ndarray:
        """Images as a bundle sees them."""
        return self._read(rows, NONE, [None] * len(rows))

    def _read(self, rows: np.ndarray, kind: str, generators: Sequence[np.random.Generator | None]) -> np.ndarray:
        encoded = [self._store.read(self.names[row]) for row in rows]

        def one(row: int, data: bytes, generator: np.random.Generator | None) -> np.ndarray:
            image = decode(data)
            if image is None:
                raise ValueError(f"{self.names[row]} does not decode")
            return augmented(image, self._size, self._rule, kind, generator)

        return np.stack(list(self._pool.map(one, rows, encoded, generators))).transpose(0, 3, 1, 2)
