# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""How a training image is changed before the model sees it: our own way, ML-Decoder's, or not at all."""

import cv2
import numpy as np

from clip_decoder.data.images import augment, resize

CROP, CUTOUT, NONE = "crop", "cutout+randaugment", "none"
AUGMENTATIONS = (CROP, CUTOUT, NONE)
CUTOUT_SIDE = 0.5
# RandAugment (Cubuk et al. 2020, arXiv 1909.13719): operations per image, and how strong they are, of 10
OPERATIONS, MAGNITUDE = 2, 9
STRENGTH = MAGNITUDE / 10
GREY = (128, 128, 128)


def augmented(image: np.ndarray, size: int, rule: str, kind: str, generator: np.random.Generator) -> np.ndarray:
    """uint8 [h, w, 3] -> [size, size, 3], changed as ``kind`` says."""
    if kind == CROP:
        return resize(augment(image, generator), size, rule)
    square = resize(image, size, rule)
    return square if kind == NONE else rand_augment(cutout(square, generator), generator)


def cutout(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A square of half the side, anywhere and partly outside, in a random colour (DeVries and Taylor 2017)."""
    height, width = image.shape[:2]
    y, x = generator.integers(0, height), generator.integers(0, width)
    reach_y, reach_x = int(CUTOUT_SIDE * height / 2), int(CUTOUT_SIDE * width / 2)
    changed = image.copy()
    changed[max(0, y - reach_y) : y + reach_y, max(0, x - reach_x) : x + reach_x] = generator.integers(0, 256, 3)
    return changed


def rand_augment(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Two operations drawn from fourteen; those with a direction take one at random."""
    for number in generator.integers(0, len(CHANGES), OPERATIONS):
        sign = 1 if generator.random() < 0.5 else -1
        image = CHANGES[number](image, sign)
    return np.ascontiguousarray(image)


def _moved(image: np.ndarray, matrix: list[list[float]]) -> np.ndarray:
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, np.array(matrix, np.float32), size, borderMode=cv2.BORDER_CONSTANT, borderValue=GREY)


def _rotated(image: np.ndarray, sign: int) -> np.ndarray:
    middle = (image.shape[1] / 2, image.shape[0] / 2)
    return _moved(image, cv2.getRotationMatrix2D(middle, sign * 30 * STRENGTH, 1.0).tolist())


def _towards(image: np.ndarray, other: np.ndarray | float, sign: int) -> np.ndarray:
    """Away from ``other`` or nearer to it."""
    factor = 1 + sign * 0.9 * STRENGTH
    return np.clip(other + (image.astype(np.float32) - other) * factor, 0, 255).astype(np.uint8)


def _stretched(image: np.ndarray) -> np.ndarray:
    low, high = image.min((0, 1)).astype(np.float32), image.max((0, 1)).astype(np.float32)
    return ((image - low) * (255 / np.maximum(high - low, 1))).astype(np.uint8)


def _grey(image: np.ndarray) -> np.ndarray:
    return image.mean(2, keepdims=True, dtype=np.float32)


CHANGES = (
    lambda image, _: image,
    lambda image, _: _stretched(image),
    lambda image, _: cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(image)]),
    _rotated,
    lambda image, _: np.where(image >= 256 - int(256 * STRENGTH), 255 - image, image),  # solarize
    lambda image, _: image & np.uint8(0xFF << int(4 * STRENGTH) & 0xFF),  # posterize
    lambda image, sign: _towards(image, _grey(image), sign),  # colour
    lambda image, sign: _towards(image, float(image.mean()), sign),  # contrast
    lambda image, sign: _towards(image, 0.0, sign),  # brightness
    lambda image, sign: _towards(image, cv2.blur(image, (3, 3)).astype(np.float32), sign),  # sharpness
    lambda image, sign: _moved(image, [[1, sign * 0.3 * STRENGTH, 0], [0, 1, 0]]),
    lambda image, sign: _moved(image, [[1, 0, 0], [sign * 0.3 * STRENGTH, 1, 0]]),
    lambda image, sign: _moved(image, [[1, 0, sign * 0.3 * STRENGTH * image.shape[1]], [0, 1, 0]]),
    lambda image, sign: _moved(image, [[1, 0, 0], [0, 1, sign * 0.3 * STRENGTH * image.shape[0]]]),
)
