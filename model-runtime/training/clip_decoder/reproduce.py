# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""A published data set's files to the table of its protocol, in one go."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from clip_decoder import blend, commands
from clip_decoder.calibration import write_calibration
from clip_decoder.clip.towers import Towers
from clip_decoder.data.dataset import TEST, TRAIN
from clip_decoder.data.photo_inputs import PhotoInputs
from clip_decoder.evaluation import MethodScores, MultiLabelResult, multi_label_results
from clip_decoder.measure import Measurement
from clip_decoder.pipeline import CLIP, Folders
from clip_decoder.prepared import Prepared, open_prepared
from clip_decoder.report import Report

ZSL, GZSL = "ZSL: 81 unseen labels", "GZSL: all 1,006 labels"
# mAP in percent as published, ZSL and GZSL. Their F1 is not repeated here: papers count it in two ways.
PUBLISHED = (
    ("BiAM (2021)", 26.3, None),
    ("ML-Decoder (2021)", 31.1, 19.9),
    ("CLIP-Decoder (2024)", 35.0, 22.2),
    ("MKT (2023)", 37.6, None),
    ("DualCoOp (2022)", 43.6, None),
    ("DualCoOp++ (2023)", 47.1, None),
)
NAMES = {
    "decoder": "this model, decoder",
    "blend": "this model, as served",
    "cosine": "this model, cosine",
    "class names": "class names",
}
REFERENCE_PHOTOS = 256
BATCH = 32


def reproduce(config_path: Path, folders: Folders, device: str, output: Path) -> Path:
    """Trains, or goes on where training stopped, calibrates, evaluates and exports; returns the report's path.

    Writes report.md, results.json and the folder ``bundle`` to ``output``.
    """
    prepared = open_prepared(config_path, folders, device)
    checkpoint = commands.train_prepared(prepared, folders.work, (folders.work / commands.CHECKPOINT).exists())
    calibration, reference = blend.calibrate(prepared.load(checkpoint))
    write_calibration(folders.work / "calibration.json", calibration)
    reference.save(folders.work / commands.REFERENCE)
    measurement = Measurement(prepared, calibration, reference)
    report = Report(f"NUS-WIDE by {prepared.config.bundle.id} {prepared.config.bundle.version}")
    results = measure(measurement, report)
    commands.export_measured(measurement, output / "bundle")
    return commands.write_report(report, results, output)


def measure(measurement: Measurement, report: Report) -> dict[str, list[dict]]:
    """ZSL and GZSL of every method, in the report beside the published figures."""
    prepared = measurement.prepared
    images, space = prepared.data.images, prepared.data.labels
    rows = images.rows(None, TEST)
    scores = measurement.scores(rows, prepared.served_labels())
    methods = {NAMES[name]: values for name, values in scores.by_method.items()}
    if prepared.config.image.backbone == CLIP:
        methods |= plain_clip(prepared, rows)
    targets = images.targets[rows] >= 0.5
    report.text(
        f"{len(rows)} test images, {targets.any(1).sum()} of them with a label. Trained on"
        f" {(images.splits == TRAIN).sum()} images and calibrated on others of the training images; unseen labels were"
        " used for neither. mAP is over all labels with a positive. F1 is given in both conventions: over the test images"
        " that have one of the labels, and over all."
    )
    found = {}
    for title, chosen, column in ((ZSL, ~space.seen, 1), (GZSL, np.ones(len(space.seen), bool), 2)):
        given = MethodScores(methods, scores.embeddings).columns(chosen)
        results = multi_label_results(given, targets[:, chosen], np.ones_like(targets[:, chosen]))
        _table(report, title, results, column)
        found[title] = [asdict(one) for one in results]
    return found


def plain_clip(prepared: Prepared, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The checkpoint as it came: scores [N, L] by its class token, and by its patch tokens (``patches.py``)."""
    from clip_decoder.clip.export import load_towers
    from clip_decoder.clip.patches import patch_graphs

    config, folders, data = prepared.config, prepared.folders, prepared.data
    assert isinstance(data.cache, PhotoInputs)
    towers: Towers = load_towers(folders.clip, folders.open_clip_model, config.image.resize)
    vectors = data.labels.vectors[data.labels.published(), 0].astype(np.float32)
    labels = torch.from_numpy(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).to(prepared.device)
    training = data.images.rows(None, TRAIN)
    drawn = np.random.default_rng(config.seed).permutation(training)[:REFERENCE_PHOTOS]
    graph, decoder = patch_graphs(towers, _pixels(data.cache, data.cache_rows[drawn]))
    graph, decoder = graph.to(prepared.device), decoder.to(prepared.device)
    by_class, by_patches = [], []
    with torch.inference_mode():
        for at in range(0, len(rows), BATCH):
            pixels = _pixels(data.cache, data.cache_rows[rows[at : at + BATCH]])
            patches, embedding = graph(torch.from_numpy(pixels).to(prepared.device))
            by_class.append((embedding @ labels.T).cpu().numpy())
            by_patches.append(decoder(patches, labels).cpu().numpy())
    return {
        "plain CLIP, class token": np.concatenate(by_class),
        "plain CLIP, patch tokens": np.concatenate(by_patches),
    }


def _pixels(photos: PhotoInputs, rows: np.ndarray) -> np.ndarray:
    """uint8 [R, S, S, 3]"""
    return np.ascontiguousarray(photos.plain(rows).transpose(0, 2, 3, 1))


def _table(report: Report, title: str, results: Sequence[MultiLabelResult], column: int) -> None:
    """All in percent; ``column``: of ``PUBLISHED``."""
    report.section(f"{title}, {results[0].labels} of them with a positive")
    report.lines += [
        "| method | mAP | F1@3, labelled images | F1@5, labelled | F1@3, all images | F1@5, all |",
        "|---|---|---|---|---|---|",
    ]
    for one in results:
        figures = (
            one.mean_average_precision,
            one.f1_at_3,
            one.f1_at_5,
            one.f1_at_3_all_images,
            one.f1_at_5_all_images,
        )
        report.lines.append(f"| {one.method} | " + " | ".join(f"{100 * figure:.1f}" for figure in figures) + " |")
    report.lines.append(f"| chance | {100 * results[0].chance:.1f} | | | | |")
    for published in PUBLISHED:
        if published[column] is not None:
            report.lines.append(f"| published: {published[0]} | {published[column]:.1f} | | | | |")
    report.lines.append("")
