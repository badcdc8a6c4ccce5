# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""NUS-WIDE (Chua et al. 2009) as published, under the zero-shot protocol of 925 seen and 81 unseen labels.

    ImageList/{Train,Test}Imagelist.txt                                image paths, backslashes as published
    Groundtruth/TrainTestLabels/Labels_<concept>_{Train,Test}.txt      0 or 1 a line, for each of 81 concepts
    NUS_WID_Tags/TagList1k.txt                                         the 1,000 tags
    NUS_WID_Tags/{Train,Test}_Tags1k.dat                               0 or 1, 1,000 columns
    Flickr/<folder>/<image>                                            the images

The concepts, which people checked, are unseen; the tags that are none of the concepts are seen. A training image
without a seen tag has nothing to teach and is left out. Every test image stays, with a label or without: the two
conventions of F1 differ in whether they count those without.
"""

from pathlib import Path

import numpy as np

from clip_decoder.data.dataset import CALIBRATE, TEST, TRAIN
from clip_decoder.data.labels import LabelFileError
from clip_decoder.data.multi_label import Annotations

# fmt: off
CONCEPTS = (
    "airport", "animal", "beach", "bear", "birds", "boats", "book", "bridge", "buildings", "cars", "castle", "cat",
    "cityscape", "clouds", "computer", "coral", "cow", "dancing", "dog", "earthquake", "elk", "fire", "fish",
    "flags", "flowers", "food", "fox", "frost", "garden", "glacier", "grass", "harbor", "horses", "house", "lake",
    "leaf", "map", "military", "moon", "mountain", "nighttime", "ocean", "person", "plane", "plants", "police",
    "protest", "railroad", "rainbow", "reflection", "road", "rocks", "running", "sand", "sign", "sky", "snow",
    "soccer", "sports", "statue", "street", "sun", "sunset", "surf", "swimmers", "tattoo", "temple", "tiger",
    "tower", "town", "toy", "train", "tree", "valley", "vehicle", "water", "waterfall", "wedding", "whales",
    "window", "zebra",
)
# fmt: on
TAG_COUNT, SEEN_COUNT = 1000, 925
CALIBRATION_SHARE = 0.05
ZERO, ONE = ord("0"), ord("1")
SPACE = np.isin(np.arange(256), np.frombuffer(b" \t\r\n", np.uint8))


def read_nus_wide(directory: Path, seed: int) -> Annotations:
    """Reads the layout above in one pass over each file; part of the training images, drawn with ``seed``, calibrate.

    Raises LabelFileError for a missing file, files of unequal length, anything but 0 and 1, or other tags than the
    protocol's.
    """
    directory = Path(directory)
    tag_list = directory / "NUS_WID_Tags" / "TagList1k.txt"
    tags = _lines(tag_list)
    concepts = set(CONCEPTS)
    kept = np.array([tag.lower() not in concepts for tag in tags])
    if (len(tags), int(kept.sum())) != (TAG_COUNT, SEEN_COUNT):
        raise LabelFileError(
            f"{tag_list}: {len(tags)} tags, of which {kept.sum()} are not among the 81 concepts; the protocol has"
            f" {TAG_COUNT} and {SEEN_COUNT}"
        )
    images: list[str] = []
    targets, splits = [], []
    for part, split in (("Train", TRAIN), ("Test", TEST)):
        listed = [line.replace("\\", "/") for line in _lines(directory / "ImageList" / f"{part}Imagelist.txt")]
        truth = directory / "Groundtruth" / "TrainTestLabels"
        found = np.concatenate(
            [
                _matrix(directory / "NUS_WID_Tags" / f"{part}_Tags1k.dat", len(listed), len(tags))[:, kept],
                *(_matrix(truth / f"Labels_{name}_{part}.txt", len(listed), 1) for name in CONCEPTS),
            ],
            axis=1,
        )
        useful = found[:, :SEEN_COUNT].any(1) if split == TRAIN else np.ones(len(found), bool)
        images += [name for name, keep in zip(listed, useful, strict=True) if keep]
        targets.append(found[useful])
        splits.append(np.full(int(useful.sum()), split, np.int8))
    if len(set(images)) < len(images):
        raise LabelFileError(f"{directory / 'ImageList'}: an image is listed twice")
    split = np.concatenate(splits)
    drawn = np.random.default_rng(seed).random(len(split)) < CALIBRATION_SHARE
    split[drawn & (split == TRAIN)] = CALIBRATE
    names = [tag for tag, keep in zip(tags, kept, strict=True) if keep]
    seen = np.arange(SEEN_COUNT + len(CONCEPTS)) < SEEN_COUNT
    return Annotations(images, [*names, *CONCEPTS], np.concatenate(targets), split, seen)


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise LabelFileError(f"NUS-WIDE: no such file: {path}")
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _matrix(path: Path, rows: int, columns: int) -> np.ndarray:
    """bool [rows, columns] of a file of 0 and 1. Parsed as bytes: the largest file has 162 million numbers."""
    if not path.is_file():
        raise LabelFileError(f"NUS-WIDE: no such file: {path}")
    data = np.fromfile(path, np.uint8)
    starts = np.append(0, np.flatnonzero(data == ord("\n")) + 1)
    starts = starts[starts < len(data)]
    written = ~SPACE[data]
    strange = written & (data != ZERO) & (data != ONE)
    strange[:-1] |= written[1:] & written[:-1]  # a number has one digit
    if strange.any():
        place = int(strange.argmax())
        line = int(np.searchsorted(starts, place, "right"))
        raise LabelFileError(f"{path}:{line}: expected values of 0 or 1, found {_word(data, place)!r}")
    widths = np.add.reduceat(written.view(np.uint8), starts, dtype=np.int64) if len(starts) else np.zeros(0, int)
    filled = np.flatnonzero(widths)
    if len(filled) != rows:
        raise LabelFileError(f"{path}: {len(filled)} lines, but {rows} images are listed")
    uneven = widths[filled] != columns
    if uneven.any():
        line = int(filled[uneven.argmax()])
        raise LabelFileError(f"{path}:{line + 1}: {widths[line]} values, expected {columns}")
    return (data[written] == ONE).reshape(rows, columns)


def _word(data: np.ndarray, place: int) -> str:
    return data[place : place + 20].tobytes().decode("latin-1").split()[0]
