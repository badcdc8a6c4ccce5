# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Small linear heads inside a decoder graph, each for one word: it adds to that word's logit, and to no other.

A head reads the mean of an image's tokens and the mean of the tokens in the upper rows, where the sky is.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

# A head applies to label vectors this near to its own (cosine), in full from NEAR, not at all below FAR: it knows one
# word, not its neighbours. Different labels of the default vocabulary have cosines below FAR.
NEAR = 0.95
FAR = 0.8
UPPER_SHARE = 3 / 7
LOGITS = "logits"


@dataclass(frozen=True)
class WordHeads:
    """``labels`` [J, D], unit; ``weights`` [J, 2 W] and ``biases`` [J]: logit += weights . features + bias."""

    labels: np.ndarray
    weights: np.ndarray
    biases: np.ndarray

    def added(self, tokens: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """tokens [N, T, W], labels [L, D] -> [N, L]"""
        near = np.clip((labels @ self.labels.T - FAR) / (NEAR - FAR), 0, 1)  # [L, J]
        return (features(tokens) @ self.weights.T + self.biases) @ near.T


def rows_of(count: int) -> tuple[int, int]:
    """How many of T tokens are patches (the largest square), and how many of those lie in the upper rows."""
    side = int(count**0.5)
    return side * side, max(1, round(side * UPPER_SHARE)) * side


def features(tokens: np.ndarray) -> np.ndarray:
    """tokens [N, T, W] -> [N, 2 W]"""
    patches, upper = rows_of(tokens.shape[1])
    return np.concatenate([tokens[:, :patches].mean(1), tokens[:, :upper].mean(1)], 1)


def add_heads(source: Path, heads: WordHeads, count: int, target: Path) -> None:
    """Writes the decoder graph ``source``, with the heads added, to ``target``; ``count``: its number of tokens, T."""
    graph = onnx.load(str(source))
    if any(one.name == "heads_weights" for one in graph.graph.initializer):
        raise ValueError(f"{source} has word heads already; begin with the graph that was exported")
    base = "logits_of_decoder"
    for node in graph.graph.node:
        node.output[:] = [base if name == LOGITS else name for name in node.output]
        node.input[:] = [base if name == LOGITS else name for name in node.input]
    constants = {
        "heads_labels": heads.labels.T.astype(np.float32),  # [D, J]
        "heads_weights": heads.weights.T.astype(np.float32),  # [2 W, J]
        "heads_biases": heads.biases.astype(np.float32),
        "heads_far": np.float32(FAR),
        "heads_width": np.float32(NEAR - FAR),
        "heads_zero": np.float32(0),
        "heads_one": np.float32(1),
        "heads_start": np.array([0], np.int64),
        "heads_axis": np.array([1], np.int64),
        "heads_patches": np.array([rows_of(count)[0]], np.int64),
        "heads_upper": np.array([rows_of(count)[1]], np.int64),
    }
    graph.graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items())
    nodes = []
    for part in ("patches", "upper"):
        inputs = ["tokens", "heads_start", f"heads_{part}", "heads_axis"]
        nodes.append(helper.make_node("Slice", inputs, [f"heads_{part}_tokens"]))
        nodes.append(
            helper.make_node("ReduceMean", [f"heads_{part}_tokens"], [f"heads_{part}_mean"], axes=[1], keepdims=0)
        )
    nodes += [
        helper.make_node("Concat", ["heads_patches_mean", "heads_upper_mean"], ["heads_features"], axis=1),
        helper.make_node("Gemm", ["heads_features", "heads_weights", "heads_biases"], ["heads_spoken"]),  # [B, J]
        helper.make_node("MatMul", ["labels", "heads_labels"], ["heads_cosines"]),  # [L, J]
        helper.make_node("Sub", ["heads_cosines", "heads_far"], ["heads_over"]),
        helper.make_node("Div", ["heads_over", "heads_width"], ["heads_share"]),
        helper.make_node("Clip", ["heads_share", "heads_zero", "heads_one"], ["heads_near"]),
        helper.make_node("Transpose", ["heads_near"], ["heads_near_by_word"], perm=[1, 0]),
        helper.make_node("MatMul", ["heads_spoken", "heads_near_by_word"], ["heads_added"]),  # [B, L]
        helper.make_node("Add", [base, "heads_added"], [LOGITS]),
    ]
    graph.graph.node.extend(nodes)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(target))
