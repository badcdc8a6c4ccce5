# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""NUS-WIDE in miniature: its published files, all 1,000 tags and 81 concepts, and a few generated images."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from clip_decoder.data.nus_wide import CONCEPTS

MISSING = {"earthquake", "map", "nighttime", "railroad", "soccer", "surf"}  # concepts that are no tags: 75 are
SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "tu")
# What the images show, a coloured square for each: tags that occur, and concepts.
TAGS = ("badeba", "badede", "badefi", "badego", "badelu", "badema")
SHOWN = ("cat", "dog", "sky", "water")
SIDE = 16


@dataclass
class Miniature:
    """What was written: labels [N, 10] of the images, in the order of ``TAGS`` and ``SHOWN``, by part."""

    folder: Path
    images: dict[str, list[str]] = field(default_factory=dict)
    shows: dict[str, np.ndarray] = field(default_factory=dict)


def tag_list() -> list[str]:
    """925 made-up words, and 75 of the concepts among them."""
    words = [f"{a}{b}{c}" for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
    return sorted([*words[10:], *words[:10]][:925] + [name for name in CONCEPTS if name not in MISSING])


def write_nus_wide(folder: Path, train: int = 120, test: int = 60, seed: int = 3) -> Miniature:
    """Every eighth test image shows nothing, and every tenth training image concepts only."""
    made = Miniature(folder)
    generator = np.random.default_rng(seed)
    colours = generator.integers(0, 256, (len(TAGS) + len(SHOWN), 3))
    for number, (part, count) in enumerate((("Train", train), ("Test", test))):
        shows = generator.random((count, len(colours))) < 0.25
        shows[np.arange(count), generator.integers(0, len(TAGS), count)] = True
        if part == "Test":
            shows[::8] = False
        else:
            shows[::10, : len(TAGS)] = False
        names = [f"{('actor', 'zoo')[row % 2]}/{number}{row:03d}_{row * 7919}.png" for row in range(count)]
        for name, row in zip(names, shows, strict=True):
            path = folder / "Flickr" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), _picture(row, colours, generator))
        made.images[part], made.shows[part] = names, shows
    rewrite(made)
    return made


def rewrite(made: Miniature) -> None:
    """The label files for what ``made.shows`` says."""
    for name in ("ImageList", "Groundtruth/TrainTestLabels", "NUS_WID_Tags"):
        (made.folder / name).mkdir(parents=True, exist_ok=True)
    tags = tag_list()
    (made.folder / "NUS_WID_Tags" / "TagList1k.txt").write_text("\n".join(tags) + "\n")
    for part, shows in made.shows.items():
        listed = "".join(name.replace("/", "\\") + "\n" for name in made.images[part])
        (made.folder / "ImageList" / f"{part}Imagelist.txt").write_text(listed)
        given = np.zeros((len(shows), len(tags)), int)
        given[:, [tags.index(name) for name in TAGS]] = shows[:, : len(TAGS)]
        # some users also give tags that are concepts; the protocol leaves these out
        given[:, tags.index("cat")] = shows[:, len(TAGS)]
        lines = "\n".join("\t".join(map(str, row)) + "\t" for row in given)
        (made.folder / "NUS_WID_Tags" / f"{part}_Tags1k.dat").write_text(lines + "\n")
        for name in CONCEPTS:
            truth = shows[:, len(TAGS) + SHOWN.index(name)] if name in SHOWN else np.zeros(len(shows), bool)
            path = made.folder / "Groundtruth" / "TrainTestLabels" / f"Labels_{name}_{part}.txt"
            path.write_text("\n".join(str(int(one)) for one in truth) + "\n")


def _picture(shown: np.ndarray, colours: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    image = np.full((3 * SIDE, 4 * SIDE, 3), generator.integers(90, 160), np.uint8)
    places = generator.permutation(12)
    for label, place in zip(np.flatnonzero(shown), places, strict=False):
        top, left = place // 4 * SIDE, place % 4 * SIDE
        image[top : top + SIDE, left : left + SIDE] = colours[label]
    return image
