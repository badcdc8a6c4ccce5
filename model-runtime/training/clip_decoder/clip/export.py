# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Turns a checkpoint and, where there is one, a head into a bundle directory."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clip_decoder.bundle.scoring import Scoring
from clip_decoder.bundle.self_test import synthetic_pixels
from clip_decoder.bundle.writer import BundleIdentity, ExportReport, TextSpecification, write_bundle
from clip_decoder.clip.head import Head, read_head
from clip_decoder.clip.labels import common_label_embeddings, write_vocabulary
from clip_decoder.clip.patches import patch_graphs, patch_scoring
from clip_decoder.clip.reference import embed, even_directions, reference_photos
from clip_decoder.clip.scoring import cosine_scoring, head_scoring
from clip_decoder.clip.text_graph import export_text_graph
from clip_decoder.clip.towers import ImageGraph, Towers
from clip_decoder.errors import ClipError
from clip_decoder.text import unit

OPEN_CLIP_CONFIG = "open_clip_config.json"
HUGGING_FACE_CONFIG = "config.json"
SYNTHETIC_IMAGES = 32


@dataclass(frozen=True)
class ClipExport:
    """What to export and how; None leaves a choice to the checkpoint.

    ``head_labels``: whether the head was trained on label vectors as the text tower gives them (``raw``, as the
    CLIP-Decoder authors' code does) or on ones of unit norm. ``head_pixels``: whether it was trained on pixels as the
    checkpoint normalises them (``normalised``) or in [0, 1] (``unit``, as that code does). ``reference``: a folder of photos.
    ``score_by``: without a head, by the ``class`` token or also by ``patches`` (``patches.py``).
    """

    clip: Path
    output: Path
    open_clip_model: str | None = None
    head: Path | None = None
    head_labels: str = "raw"
    head_pixels: str = "normalised"
    half: bool = False
    reference: Path | None = None
    resize: str | None = None
    templates: tuple[str, ...] = ()
    id: str | None = None
    version: str = "1.0.0"
    generation: int = 1
    license: str = "that of the checkpoint"
    provenance: str | None = None
    score_by: str = "class"


@dataclass(frozen=True)
class ClipReport:
    """The result; ``label_norms``: smallest and largest over the mean, where a head was adapted to unit norms."""

    graphs: ExportReport
    text_parity: float
    scoring: Scoring
    reference_count: int
    label_norms: tuple[float, float] | None


def export_clip(wanted: ClipExport) -> ClipReport:
    """Writes the bundle. Raises ClipError for what cannot be exported, ExportError where parity fails."""
    towers = load_towers(wanted.clip, wanted.open_clip_model, wanted.resize)
    templates = wanted.templates or towers.templates
    head = None if wanted.head is None else read_head(wanted.head)
    labels = common_label_embeddings(towers, templates)
    label_norms = None
    if head is not None:
        head.check_fits(_feature_size(towers), labels.shape[1])
        if wanted.head_labels == "raw":
            head, label_norms = _for_unit_labels(head, labels)
    encoder = _encoder(towers, head, wanted.head_pixels == "unit")
    photos = None
    if wanted.reference is not None:
        photos = reference_photos(wanted.reference, towers.pixels.size, towers.pixels.resize)
    reference = even_directions(labels.shape[1]) if photos is None else embed(encoder, photos)
    wanted.output.mkdir(parents=True, exist_ok=True)
    text_parity = export_text_graph(towers, wanted.output / "text_encoder.onnx")
    towers.tokenizer.save(str(wanted.output / "tokenizer.json"), pretty=False)
    scoring = _scoring(wanted, towers, encoder, labels, reference)
    decoder = None if head is None else head.decoder
    if wanted.score_by == "patches":
        encoder, decoder = patch_graphs(towers, photos)
        scoring = patch_scoring(scoring, encoder, decoder, photos, unit(labels))
    graphs = write_bundle(
        wanted.output,
        encoder,
        decoder,
        towers.pixels.size,
        towers.pixels.resize,
        _identity(wanted, towers),
        TextSpecification(
            wanted.output / "text_encoder.onnx",
            wanted.output / "tokenizer.json",
            "text_encoder.onnx",
            "tokenizer.json",
            towers.context,
            "NONE",
            templates,
        ),
        None,
        reference,
        scoring,
        wanted.half,
    )
    write_vocabulary(wanted.output / "vocabulary.csv")
    return ClipReport(graphs, text_parity, scoring, len(reference), label_norms)


def load_towers(path: Path, open_clip_model: str | None, resize: str | None) -> Towers:
    """Reads a checkpoint with the library that its files name. Raises ClipError."""
    if path.is_file() or (path / OPEN_CLIP_CONFIG).is_file() and not (path / HUGGING_FACE_CONFIG).is_file():
        try:
            from clip_decoder.clip.open_clip_checkpoint import load_open_clip
        except ImportError as error:
            raise ClipError(f"open_clip checkpoints need the extra: pip install -e '.[clip]' ({error})") from error
        if path.is_dir() and open_clip_model is not None:
            raise ClipError(f"{path / OPEN_CLIP_CONFIG} gives the architecture; leave --open-clip-model out")
        return load_open_clip(path, open_clip_model, resize)
    if not (path / HUGGING_FACE_CONFIG).is_file():
        raise ClipError(
            f"{path} is not a checkpoint directory: it has neither {HUGGING_FACE_CONFIG} (transformers) nor"
            f" {OPEN_CLIP_CONFIG}; its files are {', '.join(sorted(file.name for file in path.iterdir())[:8]) or 'none'}"
        )
    if open_clip_model is not None:
        raise ClipError(f"--open-clip-model is for open_clip's state dicts, {path} is a transformers checkpoint")
    try:
        from clip_decoder.clip.hugging_face import load_hugging_face
    except ImportError as error:
        raise ClipError(f"transformers checkpoints need the extra: pip install -e '.[clip]' ({error})") from error
    return load_hugging_face(path, resize)


def _encoder(towers: Towers, head: Head | None, unit_pixels: bool) -> ImageGraph:
    if head is None:
        return ImageGraph(towers.image, towers.pixels, None).eval()
    tower = towers.image
    if head.image_tower or unit_pixels:
        from clip_decoder.clip.trained_tower import tower_of_head

        tower = tower_of_head(tower, head.image_tower, towers.pixels, unit_pixels)
    return ImageGraph(tower, towers.pixels, head.projection).eval()


def _feature_size(towers: Towers) -> int:
    pixels = synthetic_pixels(1, towers.pixels.size)
    features = []
    hook = towers.image.register_forward_hook(lambda _module, _inputs, output: features.append(output[0]))
    embed(ImageGraph(towers.image, towers.pixels, None), pixels)
    hook.remove()
    return features[0].shape[-1]


def _for_unit_labels(head: Head, labels: np.ndarray) -> tuple[Head, tuple[float, float]]:
    norms = np.linalg.norm(labels, axis=1)
    mean = float(norms.mean())
    return head.for_unit_labels(mean), (float(norms.min()) / mean, float(norms.max()) / mean)


def _scoring(
    wanted: ClipExport, towers: Towers, encoder: ImageGraph, labels: np.ndarray, reference: np.ndarray
) -> Scoring:
    if wanted.head is not None:
        return head_scoring(labels.shape[1], wanted.reference is not None)
    unrelated = None
    if wanted.reference is None:
        unrelated = embed(encoder, synthetic_pixels(SYNTHETIC_IMAGES, towers.pixels.size))
    return cosine_scoring(towers.logit_scale, towers.logit_bias, unit(labels), reference, unrelated)


def _identity(wanted: ClipExport, towers: Towers) -> BundleIdentity:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", towers.name).strip("-._") or "clip"
    source = f"exported from the checkpoint {wanted.clip.name}"
    if wanted.head is not None:
        source += f" and the head {wanted.head.name}"
    return BundleIdentity(
        wanted.id or name, wanted.version, wanted.generation, wanted.license, wanted.provenance or source
    )
