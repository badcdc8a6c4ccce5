# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a bundle directory: graphs, vectors, self-test and the bundle.json that ties them together."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from clip_decoder.bundle.graphs import (
    HALF_PARITY_TOLERANCE,
    HALF_TOKEN_TOLERANCE,
    PARITY_TOLERANCE,
    check_independence,
    check_parity,
    difference,
    export_graph,
    halve,
    open_graph,
)
from clip_decoder.bundle.scoring import Scoring, scores, standardised_cosine
from clip_decoder.bundle.self_test import synthetic_pixels
from clip_decoder.errors import ExportError
from clip_decoder.text import TextEncoder, fill_templates

FORMAT_VERSION = 1
CHECK_BATCH = 4
SELF_TEST_LABELS = ("dog", "car", "mountain", "person", "food")
SELF_TEST_TOLERANCE = 0.002
# half precision rounds differently on every device
HALF_SELF_TEST_TOLERANCE = 0.02


@dataclass(frozen=True)
class BundleIdentity:
    """What a bundle is called and where it comes from."""

    id: str
    version: str
    generation: int
    license: str
    provenance: str


@dataclass(frozen=True)
class TextSpecification:
    """The text tower of a bundle: files of the bundle, or ``classpath:`` resources whose local copies are given."""

    graph: Path
    tokenizer: Path
    graph_reference: str
    tokenizer_reference: str
    max_tokens: int
    pooling: str
    templates: tuple[str, ...]


@dataclass(frozen=True)
class ExportReport:
    """The largest differences found while exporting; None for the decoder where there is none."""

    encoder_parity: float
    decoder_parity: float | None
    encoder_independence: float
    decoder_independence: float | None


def write_bundle(
    directory: Path,
    encoder: nn.Module,
    decoder: nn.Module | None,
    image_size: int,
    resize: str,
    identity: BundleIdentity,
    text: TextSpecification,
    center: np.ndarray | None,
    reference: np.ndarray,
    scoring: Scoring,
    half: bool = False,
    added_rows: int = 0,
) -> ExportReport:
    """Exports the modules and everything that goes with them; raises ExportError where parity fails.

    encoder: pixels uint8 [B, S, S, 3] -> tokens [B, T, W] and embedding [B, D]; the embedding alone without a decoder.
    decoder: tokens [B, T, W], labels [L, D] -> logits [B, L]. center [D] or None; reference [R, D], unit rows.
    ``half``: both compute in half precision, and tokens go from one to the other in it. ``added_rows``: images that ``decoder`` adds to every batch.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # written last: a directory without it is not a bundle, so an export that stops early leaves none
    (directory / "bundle.json").unlink(missing_ok=True)
    tolerance = HALF_PARITY_TOLERANCE if half else PARITY_TOLERANCE
    pixels = synthetic_pixels(CHECK_BATCH, image_size)
    encoder_path = directory / "image_encoder.onnx"
    outputs = ["tokens", "embedding"] if decoder is not None else ["embedding"]
    export_graph(
        encoder,
        {"pixels": torch.from_numpy(pixels[:2])},
        {name: {0: "B"} for name in outputs},
        {"pixels": {0: "B"}},
        encoder_path,
    )
    if half:
        halve(encoder_path, ["embedding"])
    apart = {"tokens": HALF_TOKEN_TOLERANCE} if half else {}
    encoder_parity = check_parity(encoder_path, encoder, {"pixels": pixels}, tolerance, apart)
    encoder_independence = check_independence(encoder_path, {"pixels": pixels}, "pixels", 0, tolerance)
    *tokens, embedding = open_graph(encoder_path).run(None, {"pixels": pixels})

    text_encoder = TextEncoder(text.graph, text.tokenizer, text.max_tokens, text.pooling)
    labels = np.stack(
        [text_encoder.label_vector(fill_templates(name, text.templates), center) for name in SELF_TEST_LABELS]
    )
    logits = decoder_parity = decoder_independence = None
    if decoder is not None:
        decoder_path = directory / "decoder.onnx"
        feed = {"tokens": tokens[0], "labels": labels}
        export_graph(
            decoder,
            {"tokens": torch.from_numpy(tokens[0][:2]).float(), "labels": torch.from_numpy(labels[:3])},
            {"logits": {0: "B", 1: "L"}},
            {"tokens": {0: "B"}, "labels": {0: "L"}},
            decoder_path,
        )
        if half:
            halve(decoder_path, ["labels", "logits"])
        decoder_parity = max(
            check_parity(decoder_path, decoder, feed, tolerance),
            _check_whole(decoder_path, feed, encoder, decoder, pixels, tolerance),
        )
        decoder_independence = max(
            check_independence(decoder_path, feed, "tokens", 0, tolerance),
            check_independence(decoder_path, feed, "labels", 1, tolerance),
        )
        logits = open_graph(decoder_path).run(None, {"tokens": tokens[0][:2], "labels": labels})[0]

    norms = np.linalg.norm(reference, axis=1)
    if reference.shape[1] != embedding.shape[1] or np.abs(norms - 1).max() > 1e-3:
        raise ExportError(
            f"reference embeddings must be unit rows of width {embedding.shape[1]}, got {reference.shape}"
        )
    write_floats(directory / "reference_embeddings.f32", reference)
    if center is not None:
        write_floats(directory / "text_center.f32", center)

    test_pixels = pixels[:2]
    test_pixels.tofile(directory / "self_test_pixels.u8")
    expected = scores(logits, standardised_cosine(embedding[:2], labels, reference), scoring)

    description = {
        "formatVersion": FORMAT_VERSION,
        **asdict(identity),
        "image": {
            **_file(directory, "image_encoder.onnx"),
            "size": image_size,
            "resize": resize,
            "embeddingSize": int(embedding.shape[1]),
        },
        "text": {
            "file": text.graph_reference,
            "sha256": sha256(text.graph),
            "tokenizer": text.tokenizer_reference,
            "tokenizerSha256": sha256(text.tokenizer),
            "maxTokens": text.max_tokens,
            "pooling": text.pooling,
            "templates": list(text.templates),
        },
        "reference": {**_file(directory, "reference_embeddings.f32"), "count": len(reference)},
        "scoring": {
            "decoderWeight": scoring.decoder_weight,
            "cosineWeight": scoring.cosine_weight,
            "bias": scoring.bias,
            "defaultThreshold": scoring.default_threshold,
            "topK": scoring.top_k,
            "candidateCutoff": scoring.candidate_cutoff,
            "candidatePriorWeight": scoring.candidate_prior_weight,
        },
        "selfTest": {
            "pixels": "self_test_pixels.u8",
            "sha256": sha256(directory / "self_test_pixels.u8"),
            "images": len(test_pixels),
            "labels": list(SELF_TEST_LABELS),
            "scores": [[round(float(score), 6) for score in row] for row in expected],
            "tolerance": HALF_SELF_TEST_TOLERANCE if half else SELF_TEST_TOLERANCE,
        },
    }
    if decoder is not None:
        description["image"] |= {"tokens": int(tokens[0].shape[1]), "tokenWidth": int(tokens[0].shape[2])}
        if half:
            description["image"]["tokenType"] = "FLOAT16"
        description["decoder"] = {**_file(directory, "decoder.onnx"), "addedRows": added_rows}
    if center is not None:
        description["text"]["center"] = "text_center.f32"
        description["text"]["centerSha256"] = sha256(directory / "text_center.f32")
    (directory / "bundle.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return ExportReport(encoder_parity, decoder_parity, encoder_independence, decoder_independence)


def _check_whole(
    decoder_path: Path,
    feed: dict[str, np.ndarray],
    encoder: nn.Module,
    decoder: nn.Module,
    pixels: np.ndarray,
    tolerance: float,
) -> float:
    """The largest difference in logits, end to end from pixels; ``feed`` holds the encoder graph's tokens."""
    with torch.no_grad():
        tokens, _ = encoder(torch.from_numpy(pixels))
        expected = decoder(tokens, torch.from_numpy(feed["labels"])).numpy()
    found = difference(expected, open_graph(decoder_path).run(None, feed)[0])
    if not found <= tolerance:
        raise ExportError(
            f"{decoder_path.name}: from pixels on, logits differ from PyTorch's by {found:.2e}, allowed is {tolerance:.0e}"
        )
    return found


def sha256(path: Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def write_floats(path: Path, values: np.ndarray) -> None:
    """Row-major little-endian float32, without a header."""
    np.ascontiguousarray(values, dtype="<f4").tofile(path)


def _file(directory: Path, name: str) -> dict[str, str]:
    return {"file": name, "sha256": sha256(directory / name)}
