# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""A finished bundle as a worker uses it: from the files alone, photo by photo."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clip_decoder.bundle.graphs import open_graph
from clip_decoder.bundle.scoring import Scoring
from clip_decoder.data.images import ImageStore, decode, resize
from clip_decoder.text import TextEncoder, fill_templates

BATCH = 8


class ServedBundle:
    """The graphs and vectors of a bundle directory; FileNotFoundError where there is none."""

    def __init__(self, directory: Path):
        description = directory / "bundle.json"
        if not description.is_file():
            raise FileNotFoundError(f"no bundle in {directory}: {description} is missing")
        self.directory = directory
        self.description = json.loads(description.read_text(encoding="utf-8"))
        self._encoder = open_graph(directory / self.description["image"]["file"])
        self._decoder = open_graph(directory / self.description["decoder"]["file"])
        size = self.description["image"]["embeddingSize"]
        self.reference = _floats(directory / self.description["reference"]["file"]).reshape(-1, size)
        self.center = _floats(directory / self.description["text"]["center"])
        scoring = self.description["scoring"]
        self.scoring = Scoring(
            scoring["decoderWeight"],
            scoring["cosineWeight"],
            scoring["bias"],
            scoring["defaultThreshold"],
            scoring["topK"],
            scoring["candidateCutoff"],
        )

    def vocabulary(self) -> list[dict[str, str]]:
        """The rows of vocabulary.csv."""
        with open(self.directory / "vocabulary.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def label_vectors(self, text: TextEncoder, rows: Sequence[dict[str, str]]) -> np.ndarray:
        """Vectors [L, D] of rows of a vocabulary."""
        vectors = []
        for row in rows:
            prompts = row["prompts"].split("|") if row["prompts"] else self.description["text"]["templates"]
            vectors.append(text.label_vector(fill_templates(row["name"], prompts), self.center))
        return np.stack(vectors)

    def encode(self, store: ImageStore, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Tokens [N, T, W] and embeddings [N, D] of photos; ValueError for one that does not decode."""
        tokens, embeddings = [], []
        size, rule = self.description["image"]["size"], self.description["image"]["resize"]
        for start in range(0, len(names), BATCH):
            pixels = []
            for name in names[start : start + BATCH]:
                image = decode(store.read(name))
                if image is None:
                    raise ValueError(f"{name} does not decode")
                pixels.append(resize(image, size, rule))
            found = self.run(np.stack(pixels))
            tokens.append(found[0])
            embeddings.append(found[1])
        return np.concatenate(tokens), np.concatenate(embeddings)

    def run(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """pixels uint8 [B, S, S, 3] -> tokens [B, T, W], embeddings [B, D]"""
        tokens, embeddings = self._encoder.run(["tokens", "embedding"], {"pixels": pixels})
        return tokens, embeddings

    def logits(self, tokens: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """tokens [N, T, W], labels [L, D] -> [N, L]"""
        return np.concatenate(
            [
                self._decoder.run(["logits"], {"tokens": tokens[start : start + BATCH], "labels": labels})[0]
                for start in range(0, len(tokens), BATCH)
            ]
        )


def _floats(path: Path) -> np.ndarray:
    return np.fromfile(path, "<f4")
