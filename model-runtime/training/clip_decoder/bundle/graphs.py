# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The two ONNX graphs of a bundle, and the proof that they compute what the model does."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel
from torch import Tensor, nn

from clip_decoder.bundle.scoring import FAR, NEAR, NEAREST, SMALLEST_DEVIATION
from clip_decoder.errors import ExportError

OPSET = 17
PARITY_TOLERANCE = 1e-4
HALF_PARITY_TOLERANCE = 1e-3
# single tokens show the rounding of the weights; the decoder's logits are what counts, and must meet the tolerance
# above
HALF_TOKEN_TOLERANCE = 1e-2
# protobuf's limit for a file, and Java's for an array
LARGEST_GRAPH = 2**31 - 1
# sums of squares overflow in half precision
HALF_EXEMPT = [*DEFAULT_OP_BLOCK_LIST, "ReduceL2", "LpNormalization"]


class ImageEncoderGraph(nn.Module):
    """pixels uint8 [B, H, W, 3] RGB -> tokens [B, T, W], embedding [B, D]"""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        return self.model.encode(pixels.permute(0, 3, 1, 2).float())


class NearnessEncoder(nn.Module):
    """An encoder with one extra token; its first number is how near the image is to labels in general (``nearness``).

    vocabulary [V, D]; reference [R, D]
    """

    def __init__(self, encoder: nn.Module, vocabulary: np.ndarray, reference: np.ndarray):
        super().__init__()
        self.encoder = encoder
        background = reference @ vocabulary.T  # [R, V]
        deviation = np.maximum(background.std(0), SMALLEST_DEVIATION)
        self.register_buffer("scaled", torch.from_numpy((vocabulary / deviation[:, None]).T.astype(np.float32)))  # [D, V]
        self.register_buffer("offset", torch.from_numpy((background.mean(0) / deviation).astype(np.float32)))  # [V]
        self.count = min(NEAREST, len(vocabulary))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        tokens, embedding = self.encoder(pixels)
        z = embedding @ self.scaled - self.offset  # [B, V]
        near = z.topk(self.count, dim=1).values.mean(1, keepdim=True)  # [B, 1]
        last = nn.functional.pad(near, (0, tokens.shape[2] - 1)).unsqueeze(1)  # [B, 1, W]
        return torch.cat([tokens, last], 1), embedding


class ServedDecoder(nn.Module):
    """A decoder behind a ``NearnessEncoder``, with everything that calibration determined for it.

    Its logits count as far as a label is familiar; for the rest, the logits for a typical photo, tokens [T, W], stand
    in. ``prior_share`` times the typical photo's logits are added on top, and ``nearness_share`` times the image's
    nearness is subtracted.
    """

    added_rows = 1  # the typical photo

    def __init__(
        self,
        decoder: nn.Module,
        typical: np.ndarray,
        vocabulary: np.ndarray,
        prior_share: float,
        nearness_share: float,
    ):
        super().__init__()
        self.decoder = decoder
        self.register_buffer("typical", torch.from_numpy(typical[None].astype(np.float32)))
        self.register_buffer("vocabulary", torch.from_numpy(vocabulary.T.astype(np.float32)))  # [D, V]
        self.prior_share = prior_share
        self.nearness_share = nearness_share

    def forward(self, tokens: Tensor, labels: Tensor) -> Tensor:
        logits = self.decoder(torch.cat([tokens[:, :-1], self.typical]), labels)  # [B + 1, L]
        nearest = (labels @ self.vocabulary).max(1).values  # [L]
        familiar = ((nearest - FAR) / (NEAR - FAR)).clamp(0, 1)
        known = familiar * logits[:-1] + (1 - familiar + self.prior_share) * logits[-1:]
        return known - self.nearness_share * tokens[:, -1, :1]


def export_graph(
    module: nn.Module,
    example: dict[str, Tensor],
    outputs: dict[str, dict[int, str]],
    inputs_free: dict[str, dict[int, str]],
    path: Path,
) -> None:
    """Writes ``module`` to ``path``; ``outputs`` and ``inputs_free`` name the free dimensions by input and output."""
    module.eval()
    weights = sum(value.numel() * value.element_size() for value in module.state_dict().values())
    if weights > LARGEST_GRAPH:
        raise ExportError(
            f"{path.name}: its weights take {weights / 2**30:.1f} GiB, an ONNX file holds less than 2 GiB"
        )
    arguments = {"opset_version": OPSET, "do_constant_folding": True}
    if "dynamo" in torch.onnx.export.__code__.co_varnames:
        arguments["dynamo"] = False  # every supported PyTorch has the tracing exporter
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(example.values()),
            str(path),
            input_names=list(example),
            output_names=list(outputs),
            dynamic_axes={**inputs_free, **outputs},
            **arguments,
        )
    graph = onnx.load(str(path))
    graph.doc_string = ""
    for node in graph.graph.node:
        node.doc_string = ""  # traces of source paths
    onnx.checker.check_model(graph)
    onnx.save(graph, str(path))


def halve(path: Path, whole: list[str]) -> None:
    """Rewrites a graph to compute in half precision, for GPUs; the inputs and outputs in ``whole`` keep their types."""
    converted = OnnxModel(
        convert_float_to_float16(onnx.load(str(path)), keep_io_types=whole, op_block_list=HALF_EXEMPT)
    )
    converted.topological_sort()  # the conversion appends its casts
    onnx.checker.check_model(converted.model)
    onnx.save(converted.model, str(path))


def open_graph(graph: Path | bytes) -> onnxruntime.InferenceSession:
    """A session on the CPU with as many threads as PyTorch: by default ONNX Runtime ignores OMP_NUM_THREADS."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    source = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def check_parity(
    path: Path,
    module: nn.Module,
    feed: dict[str, np.ndarray],
    tolerance: float = PARITY_TOLERANCE,
    apart: dict[str, float] | None = None,
) -> float:
    """The largest difference between graph and module over all outputs; ExportError above ``tolerance``.

    Relative to an output's largest magnitude where that is above 1. ``apart``: outputs, by name, with a tolerance of
    their own; the returned difference leaves them out.
    """
    with torch.no_grad():
        given = [torch.from_numpy(value) for value in feed.values()]
        expected = module.eval()(*[value.float() if value.dtype == torch.float16 else value for value in given])
    expected = expected if isinstance(expected, tuple) else (expected,)
    session = open_graph(path)
    worst = 0.0
    for output, a, b in zip(session.get_outputs(), expected, session.run(None, feed), strict=True):
        allowed = (apart or {}).get(output.name, tolerance)
        found = difference(a.numpy(), b)
        if not found <= allowed:
            raise ExportError(
                f"{path.name}: {output.name} differs from PyTorch by {found:.2e}, allowed is {allowed:.0e}"
            )
        if output.name not in (apart or {}):
            worst = max(worst, found)
    return worst


def check_independence(
    path: Path, feed: dict[str, np.ndarray], axis_input: str, output_axis: int, tolerance: float = PARITY_TOLERANCE
) -> float:
    """Each row of ``axis_input`` alone must give what it gives among the others; returns the largest difference.

    ``output_axis``: the axis of every output that follows that input's rows.
    """
    session = open_graph(path)
    together = session.run(None, feed)
    worst = 0.0
    for row in range(len(feed[axis_input])):
        alone = session.run(None, {**feed, axis_input: feed[axis_input][row : row + 1]})
        for whole, single in zip(together, alone, strict=True):
            worst = max(worst, difference(np.take(whole, [row], output_axis), single))
    if not worst <= tolerance:
        raise ExportError(f"{path.name}: a row of {axis_input!r} changes by {worst:.2e} with the rows beside it")
    return worst


def difference(expected: np.ndarray, found: np.ndarray) -> float:
    """The largest difference, relative to the largest expected magnitude where that is above 1."""
    return float(np.abs(expected - found).max() / max(1.0, np.abs(expected).max()))
