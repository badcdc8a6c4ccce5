# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Label texts to label vectors, by the procedure of BUNDLE.md and with the very graph that a bundle serves."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


class TextTooLongError(ValueError):
    """A text has more tokens than the bundle allows."""


class TextEncoder:
    """A text tower in ONNX format with its Hugging Face tokenizer.

    Texts are encoded one per run: a graph that quantises activations dynamically would otherwise give a text a
    different vector depending on the texts beside it. With ``store``, vectors are read from that file and ``save`` adds
    new ones to it: the captions of a data set take minutes to encode. A store belongs to one graph, tokenizer and
    pooling.
    """

    def __init__(
        self, graph: Path, tokenizer: Path, max_tokens: int = 64, pooling: str = "MEAN", store: Path | None = None
    ):
        for path in (graph, tokenizer):
            if not Path(path).is_file():
                raise FileNotFoundError(f"no such text encoder file: {path}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._inputs = {value.name for value in self._session.get_inputs()}
        outputs = [value.name for value in self._session.get_outputs()]
        self._output = "embedding" if pooling == "NONE" else outputs[0]
        self._max_tokens = max_tokens
        self._pooling = pooling
        self._store = store
        self._cache: dict[str, np.ndarray] = {}
        if store is not None and store.is_file():
            with np.load(store) as stored:
                self._cache = dict(zip(stored["texts"].tolist(), stored["vectors"], strict=True))
        self._stored = len(self._cache)

    def save(self) -> None:
        """Writes every vector computed so far to the store, if there is one and it lacks some."""
        if self._store is None or len(self._cache) == self._stored:
            return
        temporary = self._store.with_suffix(".new.npz")
        np.savez(temporary, texts=np.array(list(self._cache)), vectors=np.stack(list(self._cache.values())))
        temporary.replace(self._store)  # if killed in between, the old file stays whole
        self._stored = len(self._cache)

    @property
    def size(self) -> int:
        """D, the width of a vector."""
        return len(self.encode("size"))

    def encode(self, text: str) -> np.ndarray:
        """The text's vector, unit norm, float32 [D]."""
        if text not in self._cache:
            self._cache[text] = self._encode(text)
        return self._cache[text]

    def label_vector(self, prompts: Sequence[str], center: np.ndarray | None = None) -> np.ndarray:
        """Unit vectors of the prompts, averaged, scaled to unit norm; centred and scaled again where ``center`` is given."""
        if not prompts:
            raise ValueError("a label needs at least one prompt")
        vector = unit(np.mean([self.encode(prompt) for prompt in prompts], axis=0))
        return vector if center is None else unit(vector - center)

    def _encode(self, text: str) -> np.ndarray:
        encoding = self._tokenizer.encode(text)
        if len(encoding.ids) > self._max_tokens:
            raise TextTooLongError(f"{len(encoding.ids)} tokens, at most {self._max_tokens} allowed: {text!r}")
        mask = np.asarray([encoding.attention_mask], np.int64)  # [1, S]
        feed = {"input_ids": np.asarray([encoding.ids], np.int64), "attention_mask": mask}
        if "token_type_ids" in self._inputs:
            feed["token_type_ids"] = np.asarray([encoding.type_ids], np.int64)
        feed = {name: value for name, value in feed.items() if name in self._inputs}
        states = self._session.run([self._output], feed)[0]  # [1, S, D], or [1, D] without pooling
        if self._pooling == "MEAN":
            pooled = (states[0] * mask[0][:, None]).sum(0) / mask.sum()
        elif self._pooling == "CLS":
            pooled = states[0, 0]
        elif self._pooling == "NONE":
            pooled = states[0]
        else:
            raise ValueError(f"unknown pooling {self._pooling!r}; one of NONE, MEAN, CLS")
        return unit(pooled)


def unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector, axis=-1, keepdims=True)).astype(np.float32)


def fill_templates(name: str, templates: Sequence[str]) -> list[str]:
    """``{}`` in each template replaced by the label's name."""
    return [template.replace("{}", name) for template in templates]
