# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Small linear heads in a bundle's graphs, each for one word: it adds to that word's logit, and to no other.

A head reads the backbone's last feature map, as its mean and its maximum over places: the tokens have lost much of what
small objects are recognised by. So the image encoder computes what each head says, and passes it on as one more token.
The decoder adds it to the logits of the labels that mean the word.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from clip_decoder.bundle import scoring
from clip_decoder.bundle.graphs import open_graph
from clip_decoder.bundle.scoring import familiarity
from clip_decoder.data.images import BATCH, ImageStore, batches

# A head applies to label vectors this near to one of its own (cosine), in full from NEAR, not at all below FAR: it knows
# one word, not its neighbours. Where another label of the vocabulary is nearer than FAR, only what is nearer still.
NEAR = 0.95
FAR = 0.8
APART = 0.01
NARROWEST = 0.02
PREFIX = "heads_"
BASE_LOGITS, BASE_TOKENS = "heads_base_logits", "heads_base_tokens"
POOLED = "heads_pooled"
PROJECTION_BIAS = "tokens.project.bias"


@dataclass(frozen=True)
class WordHeads:
    """``anchors`` [J, M, D]: unit vectors of M wordings of each word; ``far`` [J]: the cosine from which a label begins to
    mean the word; ``weights`` [J, 2 C], ``offsets`` and ``biases`` [J]: logit += weights . pooled + offset + bias. An
    offset belongs to the image encoder, a bias to the decoder.

    ``boost``: added to the logits of labels without a head, as far as the decoder's training labels do not resemble them.
    """

    anchors: np.ndarray
    far: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    biases: np.ndarray
    boost: float = 0.0

    def only(self, chosen: Sequence[int]) -> "WordHeads":
        """Some of the heads."""
        return replace(
            self,
            anchors=self.anchors[chosen],
            far=self.far[chosen],
            weights=self.weights[chosen],
            offsets=self.offsets[chosen],
            biases=self.biases[chosen],
        )

    def spoken(self, pooled: np.ndarray) -> np.ndarray:
        """pooled [N, 2 C] -> [N, J]"""
        return pooled @ self.weights.T + self.offsets

    def near(self, labels: np.ndarray) -> np.ndarray:
        """How far labels [L, D] mean each word, in [0, 1]: [L, J]."""
        cosines = (labels @ self.anchors.reshape(-1, labels.shape[1]).T).reshape(len(labels), *self.anchors.shape[:2])
        return np.clip((cosines.max(2) - self.far) / self.width(), 0, 1)

    def width(self) -> np.ndarray:
        """[J], from ``far`` to where a head applies in full."""
        return np.maximum(NEAR - self.far, NARROWEST)

    def added(self, pooled: np.ndarray, labels: np.ndarray, vocabulary: np.ndarray) -> np.ndarray:
        """pooled [N, 2 C], labels [L, D], the decoder's training labels [V, D] -> [N, L]"""
        near = self.near(labels)
        boost = self.boost * (1 - familiarity(labels, vocabulary)) * (1 - near.max(1))
        return (self.spoken(pooled) + self.biases) @ near.T + boost


def far_from(anchors: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """``far`` [J] of heads with anchors [J, M, D], so that none applies to the labels of others, [L, D] for each head."""
    nearest = [float((own @ labels.T).max()) if len(labels) else 0.0 for own, labels in zip(anchors, others, strict=True)]
    return np.maximum(FAR, np.array(nearest) + APART).astype(np.float32)


class PoolingEncoder:
    """A bundle's image encoder that also gives the mean and the maximum, over places, of the last feature map."""

    def __init__(self, path: Path, size: int, rule: str):
        graph = without_heads(onnx.load(str(path)))
        _add_pooling(graph)
        graph.graph.output.append(helper.make_tensor_value_info(POOLED, TensorProto.FLOAT, None))
        self._session = open_graph(graph.SerializeToString())
        self._size, self._rule = size, rule

    def run(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """pixels uint8 [B, S, S, 3] -> tokens [B, T, W] without that of heads, embeddings [B, D], pooled [B, 2 C]"""
        return tuple(self._session.run(["tokens", "embedding", POOLED], {"pixels": pixels}))

    def encode(self, store: ImageStore, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``run`` over photos; ValueError for one that does not decode."""
        found = [self.run(pixels) for pixels in batches(store, names, self._size, self._rule, "encode photos")]
        return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


class PlainDecoder:
    """A bundle's decoder as it was exported."""

    def __init__(self, path: Path):
        self._session = open_graph(without_heads(onnx.load(str(path))).SerializeToString())

    def logits(self, tokens: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """tokens [N, T, W] without that of heads, labels [L, D] -> [N, L]"""
        starts = range(0, len(tokens), BATCH)
        feeds = ({"tokens": tokens[start : start + BATCH], "labels": labels} for start in starts)
        return np.concatenate([self._session.run(["logits"], feed)[0] for feed in feeds])


def add_speakers(source: Path, heads: WordHeads, target: Path) -> None:
    """Writes the image encoder ``source``, with one more token in which the heads speak, to ``target``."""
    graph = without_heads(onnx.load(str(source)))
    _add_pooling(graph)
    width = graph.graph.output[0].type.tensor_type.shape.dim[2].dim_value
    if len(heads.biases) > width:
        raise ValueError(f"{source} has tokens of {width} numbers: not enough for {len(heads.biases)} word heads")
    _rename(graph, "tokens", BASE_TOKENS)
    _add_constants(
        graph,
        {
            "heads_weights": heads.weights.T.astype(np.float32),  # [2 C, J]
            "heads_offsets": heads.offsets.astype(np.float32),
            "heads_padding": np.array([0, 0, 0, width - len(heads.biases)], np.int64),
            "heads_axis": np.array([1], np.int64),
        },
    )
    graph.graph.node.extend(
        [
            helper.make_node("Gemm", [POOLED, "heads_weights", "heads_offsets"], ["heads_spoken"]),  # [B, J]
            helper.make_node("Pad", ["heads_spoken", "heads_padding"], ["heads_padded"]),  # [B, W]
            helper.make_node("Unsqueeze", ["heads_padded", "heads_axis"], ["heads_token"]),
            helper.make_node("Concat", [BASE_TOKENS, "heads_token"], ["tokens"], axis=1),
        ]
    )
    _save(graph, target)


def add_heads(source: Path, heads: WordHeads, target: Path, places: Sequence[int] | None = None) -> None:
    """Writes the decoder graph ``source``, with the heads' words added to their labels, to ``target``.

    ``places`` [J]: where each head speaks in the token, if the image encoder has others too.
    """
    graph = without_heads(onnx.load(str(source)))
    places = range(len(heads.biases)) if places is None else places
    words, wordings, size = heads.anchors.shape
    for node in graph.graph.node:
        node.input[:] = [BASE_TOKENS if name == "tokens" else name for name in node.input]
    _rename(graph, "logits", BASE_LOGITS)
    tokens = next(one for one in graph.graph.input if one.name == "tokens").type.tensor_type.shape.dim[1]
    if tokens.HasField("dim_value"):
        tokens.dim_value += 1
    _add_constants(
        graph,
        {
            "heads_anchors": heads.anchors.reshape(-1, size).T.astype(np.float32),  # [D, J M]
            "heads_by_word": np.array([-1, words, wordings], np.int64),
            "heads_far": heads.far.astype(np.float32),
            "heads_width": heads.width().astype(np.float32),
            "heads_biases": heads.biases.astype(np.float32),
            "heads_zero": np.float32(0),
            "heads_one": np.float32(1),
            "heads_first": np.array([0], np.int64),
            "heads_last": np.array([-1], np.int64),
            "heads_end": np.array([np.iinfo(np.int64).max], np.int64),
            "heads_axis": np.array([1], np.int64),
            "heads_places": np.array(places, np.int64),
        },
    )
    first = helper.make_node("Slice", ["tokens", "heads_first", "heads_last", "heads_axis"], [BASE_TOKENS])
    last = [
        helper.make_node("Slice", ["tokens", "heads_last", "heads_end", "heads_axis"], ["heads_token"]),
        helper.make_node("Gather", ["heads_token", "heads_places"], ["heads_row"], axis=2),
        helper.make_node("Squeeze", ["heads_row", "heads_axis"], ["heads_spoken"]),  # [B, J]
        helper.make_node("Add", ["heads_spoken", "heads_biases"], ["heads_said"]),
        helper.make_node("MatMul", ["labels", "heads_anchors"], ["heads_cosines"]),  # [L, J M]
        helper.make_node("Reshape", ["heads_cosines", "heads_by_word"], ["heads_wordings"]),  # [L, J, M]
        helper.make_node("ReduceMax", ["heads_wordings"], ["heads_nearest"], axes=[2], keepdims=0),
        helper.make_node("Sub", ["heads_nearest", "heads_far"], ["heads_over"]),
        helper.make_node("Div", ["heads_over", "heads_width"], ["heads_share"]),
        helper.make_node("Clip", ["heads_share", "heads_zero", "heads_one"], ["heads_near"]),  # [L, J]
        helper.make_node("Transpose", ["heads_near"], ["heads_near_by_word"], perm=[1, 0]),
        helper.make_node("MatMul", ["heads_said", "heads_near_by_word"], ["heads_added"]),  # [B, L]
        helper.make_node("Add", [BASE_LOGITS, "heads_added"], ["heads_logits" if heads.boost else "logits"]),
    ]
    if heads.boost:
        last += _boost(graph, heads.boost)
    nodes = [first, *graph.graph.node, *last]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    _save(graph, target)


def read_heads(encoder: Path, decoder: Path) -> tuple[WordHeads, list[int]] | None:
    """The heads that the decoder of a taught bundle listens to, and their places in the token; None for other bundles."""
    found = {
        one.name: numpy_helper.to_array(one)
        for path in (encoder, decoder)
        for one in onnx.load(str(path)).graph.initializer
        if one.name.startswith(PREFIX)
    }
    if not found:
        return None
    anchors, biases = found["heads_anchors"].T, found["heads_biases"]
    places = found.get("heads_places", np.arange(len(biases)))
    heads = WordHeads(
        anchors.reshape(len(biases), -1, anchors.shape[1]),
        found["heads_far"],
        found["heads_weights"].T[places],
        found["heads_offsets"][places],
        biases,
        float(found.get("heads_boost", 0.0)),
    )
    return heads, places.tolist()


def training_labels(decoder: Path) -> np.ndarray:
    """The labels [V, D] that a decoder graph compares labels with, to tell how familiar they are; V is 0 without any."""
    for one in onnx.load(str(decoder)).graph.initializer:
        if one.name == "vocabulary":
            return numpy_helper.to_array(one).T
    return np.zeros((0, 0), np.float32)


def without_heads(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The graph as it was exported: teaching begins anew."""
    if not any(one.name.startswith(PREFIX) for one in graph.graph.initializer):
        return graph
    made = {output for node in graph.graph.node for output in node.output}
    kept = [node for node in graph.graph.node if not any(name.startswith(PREFIX) for name in node.output) or _base(node)]
    for base, name in ((BASE_LOGITS, "logits"), (BASE_TOKENS, "tokens")):
        if base not in made:
            continue
        kept = [node for node in kept if name not in node.output]
        for node in kept:
            node.output[:] = [name if one == base else one for one in node.output]
            node.input[:] = [name if one == base else one for one in node.input]
    kept = [node for node in kept if not (node.op_type == "Slice" and "tokens" in node.output)]
    initializers = [one for one in graph.graph.initializer if not one.name.startswith(PREFIX)]
    for one in graph.graph.input:
        if one.name == "tokens" and one.type.tensor_type.shape.dim[1].HasField("dim_value"):
            one.type.tensor_type.shape.dim[1].dim_value -= 1
    del graph.graph.node[:], graph.graph.initializer[:]
    graph.graph.node.extend(kept)
    graph.graph.initializer.extend(initializers)
    return graph


def _base(node: onnx.NodeProto) -> bool:
    return BASE_LOGITS in node.output or BASE_TOKENS in node.output


def _boost(graph: onnx.ModelProto, boost: float) -> list[onnx.NodeProto]:
    """Adds to what has no head and resembles no training label; the graph must have training labels."""
    if not any(one.name == "vocabulary" for one in graph.graph.initializer):
        raise ValueError("the decoder graph has no training labels, so that no label is unfamiliar to it")
    _add_constants(
        graph,
        {
            "heads_boost": np.float32(boost),
            "heads_unfamiliar": np.float32(scoring.FAR),
            "heads_familiar_width": np.float32(scoring.NEAR - scoring.FAR),
        },
    )
    return [
        helper.make_node("MatMul", ["labels", "vocabulary"], ["heads_resemblances"]),  # [L, V]
        helper.make_node("ReduceMax", ["heads_resemblances"], ["heads_resemblance"], axes=[1], keepdims=0),
        helper.make_node("Sub", ["heads_resemblance", "heads_unfamiliar"], ["heads_familiar_over"]),
        helper.make_node("Div", ["heads_familiar_over", "heads_familiar_width"], ["heads_familiar_share"]),
        helper.make_node("Clip", ["heads_familiar_share", "heads_zero", "heads_one"], ["heads_familiar"]),  # [L]
        helper.make_node("Sub", ["heads_one", "heads_familiar"], ["heads_strange"]),
        helper.make_node("ReduceMax", ["heads_near"], ["heads_meant"], axes=[1], keepdims=0),
        helper.make_node("Sub", ["heads_one", "heads_meant"], ["heads_headless"]),
        helper.make_node("Mul", ["heads_strange", "heads_headless"], ["heads_new"]),
        helper.make_node("Mul", ["heads_new", "heads_boost"], ["heads_lift"]),  # [L]
        helper.make_node("Add", ["heads_logits", "heads_lift"], ["logits"]),
    ]


def _add_pooling(graph: onnx.ModelProto) -> None:
    """[B, C, h, w], from which tokens are projected -> ``POOLED`` [B, 2 C]"""
    made = {output: node for node in graph.graph.node for output in node.output}
    biases = {one.name for one in graph.graph.initializer if one.name.endswith(PROJECTION_BIAS)}
    found = next((node for node in graph.graph.node if node.op_type == "Add" and biases & set(node.input)), None)
    if found is None:
        raise ValueError("the image encoder is not one of this kit's own: no feature map to teach words from was found")
    name = next(one for one in found.input if one not in biases)
    while made[name].op_type in ("MatMul", "Transpose", "Reshape"):
        name = made[name].input[0]
    graph.graph.node.extend(
        [
            helper.make_node("ReduceMean", [name], ["heads_mean"], axes=[2, 3], keepdims=0),
            helper.make_node("ReduceMax", [name], ["heads_max"], axes=[2, 3], keepdims=0),
            helper.make_node("Concat", ["heads_mean", "heads_max"], [POOLED], axis=1),
        ]
    )


def _rename(graph: onnx.ModelProto, name: str, to: str) -> None:
    """Renames what a node makes; the graph's output of that name is made anew."""
    for node in graph.graph.node:
        node.output[:] = [to if one == name else one for one in node.output]
        node.input[:] = [to if one == name else one for one in node.input]


def _add_constants(graph: onnx.ModelProto, constants: dict[str, np.ndarray]) -> None:
    graph.graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items())


def _save(graph: onnx.ModelProto, target: Path) -> None:
    onnx.checker.check_model(graph)
    onnx.save(graph, str(target))
