# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Photos from folders and tar files to the square RGB input of a bundle, resized as BUNDLE.md says."""

import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from tqdm import tqdm

from clip_decoder.resize_rules import RESIZE_RULES

BATCH = 8
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


class ImageStore:
    """Finds image bytes in a folder, its subfolders and the tar files in it, by file name or by ``folder/name``.

    Not safe for use from several threads. Close it (or use ``with``) to release the tar files.
    """

    def __init__(self, directory: Path):
        if not Path(directory).is_dir():
            raise FileNotFoundError(f"no such image folder: {directory}")
        self._places: dict[str, Path | tuple[tarfile.TarFile, tarfile.TarInfo]] = {}
        self._in_folders: dict[str, Path | tuple[tarfile.TarFile, tarfile.TarInfo]] = {}
        self._archives: list[tarfile.TarFile] = []
        for path in sorted(Path(directory).rglob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                self._add(path, path)
            elif path.suffix == ".tar":
                archive = tarfile.open(path)  # noqa: SIM115 - closed by close()
                self._archives.append(archive)
                for member in archive:
                    if member.isfile() and Path(member.name).suffix.lower() in IMAGE_SUFFIXES:
                        self._add(Path(member.name), (archive, member))

    def _add(self, path: Path, place: Path | tuple[tarfile.TarFile, tarfile.TarInfo]) -> None:
        self._places[path.name] = place
        self._in_folders[f"{path.parent.name}/{path.name}"] = place

    def __contains__(self, name: str) -> bool:
        return name in self._places or name in self._in_folders

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def read(self, name: str) -> bytes:
        """The encoded image; KeyError for a name that is not there."""
        place = self._places[name] if name in self._places else self._in_folders[name]
        if isinstance(place, Path):
            return place.read_bytes()
        archive, member = place
        file = archive.extractfile(member)
        assert file is not None  # only regular files are listed
        return file.read()

    def close(self) -> None:
        for archive in self._archives:
            archive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def decode(encoded: bytes) -> np.ndarray | None:
    """RGB uint8 [h, w, 3] with EXIF rotation applied, or None for bytes that are not an image."""
    if not encoded:
        return None
    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else np.ascontiguousarray(image[:, :, ::-1])


def resize(image: np.ndarray, size: int, rule: str) -> np.ndarray:
    """[h, w, 3] -> [size, size, 3] by one of BUNDLE.md's rules; area averaging to shrink, bilinear to enlarge."""
    height, width = image.shape[:2]
    if rule == "SQUASH":
        return scale(image, size, size)
    if rule == "SHORTEST_SIDE_CENTER_CROP":
        factor = size / min(height, width)
        scaled = scale(image, max(size, round(height * factor)), max(size, round(width * factor)))
        top, left = (scaled.shape[0] - size) // 2, (scaled.shape[1] - size) // 2
        return np.ascontiguousarray(scaled[top : top + size, left : left + size])
    if rule == "LETTERBOX":
        factor = size / max(height, width)
        scaled = scale(image, max(1, round(height * factor)), max(1, round(width * factor)))
        padded = np.zeros((size, size, 3), np.uint8)
        top, left = (size - scaled.shape[0]) // 2, (size - scaled.shape[1]) // 2
        padded[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
        return padded
    raise ValueError(f"unknown resize rule {rule!r}; one of {', '.join(RESIZE_RULES)}")


def scale(image: np.ndarray, height: int, width: int) -> np.ndarray:
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def batches(
    store: ImageStore, names: Sequence[str], size: int, rule: str, what: str = "photos", batch: int = BATCH
) -> Iterator[np.ndarray]:
    """Photos as an encoder's pixels, uint8 [B, size, size, 3] at a time; ValueError for one that does not decode.

    ``what`` names the work in the progress that a terminal shows.
    """
    for start in tqdm(range(0, len(names), batch), desc=what, unit="batch", disable=None):
        pixels = []
        for name in names[start : start + batch]:
            image = decode(store.read(name))
            if image is None:
                raise ValueError(f"{name} does not decode")
            pixels.append(resize(image, size, rule))
        yield np.stack(pixels)


def augment(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A random part (45-100 % of the area, aspect changed by up to 4:3), mirrored half the time, relit."""
    height, width = image.shape[:2]
    area, ratio = generator.uniform(0.45, 1.0), np.exp(generator.uniform(np.log(3 / 4), np.log(4 / 3)))
    part_height = max(8, int(height * min(1.0, np.sqrt(area / ratio))))
    part_width = max(8, int(width * min(1.0, np.sqrt(area * ratio))))
    part_height, part_width = min(part_height, height), min(part_width, width)
    top = generator.integers(0, height - part_height + 1)
    left = generator.integers(0, width - part_width + 1)
    part = image[top : top + part_height, left : left + part_width]
    if generator.random() < 0.5:
        part = part[:, ::-1]
    light = part.astype(np.float32) * generator.uniform(0.75, 1.25)
    light = (light - light.mean()) * generator.uniform(0.75, 1.25) + light.mean()
    grey = light.mean(2, keepdims=True)
    colour = grey + (light - grey) * generator.uniform(0.6, 1.3)
    return np.ascontiguousarray(np.clip(colour, 0, 255).astype(np.uint8))
