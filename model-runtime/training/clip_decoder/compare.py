# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""What each deviation from the paper changes, in a world in miniature: trained with it and without it."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clip_decoder import blend
from clip_decoder.clip.export import load_towers
from clip_decoder.clip.towers import Towers
from clip_decoder.clip.trainable import write_text_tower
from clip_decoder.commands import CHECKPOINT, write_report
from clip_decoder.config import Config, read_config
from clip_decoder.data.dataset import TEST
from clip_decoder.deviations import MEASURED, Deviation
from clip_decoder.evaluation import MethodScores, MultiLabelResult, multi_label_results
from clip_decoder.pipeline import CLIP_TEXT, Folders
from clip_decoder.prepared import Prepared, prepare_towers
from clip_decoder.report import Report
from clip_decoder.small_world import LABELS, SIZES, TOWERS, write_clip, write_photos
from clip_decoder.training import Trainer, single_precision

CONFIGS = Path(__file__).parents[1] / "configs"
# The paper's recipe in the miniature: narrower, with learning rates for few steps, and about all 24 seen labels.
SMALL = {
    "data.kind": "csv",
    "data.unseen_share": 0.2,
    "decoder.width": 64,
    "decoder.hidden": 128,
    "training.images_per_source": {"images": 32},
    "training.labels_per_step": len(LABELS),
    "training.head_rate": 3e-3,
    "training.backbone_rate": 2e-3,
}
PAPER, ALL = "the paper's recipe", "all of the above"
FIGURES = ("ZSL mAP", "GZSL mAP", "ZSL F1@3", "GZSL F1@3")


@dataclass(frozen=True)
class Run:
    """One training; ``figures`` in [0, 1], in the order of ``FIGURES``."""

    recipe: str
    tower: str
    seed: int
    figures: tuple[float, ...]


def compare(output: Path, seeds: int, steps: int, names: Sequence[str]) -> Path:
    """Trains every recipe once per seed and writes report.md and results.json to ``output``; returns the former.

    ``names``: of the deviations to measure. A seed settles photos, CLIP, unseen labels, first weights and batches; a
    deviation is compared with the paper's recipe of the same seed.
    """
    torch.set_num_threads(1)  # models this small gain nothing from more
    chosen = [one for one in MEASURED if one.name in names]
    runs = []
    with single_precision(), tempfile.TemporaryDirectory() as folder:
        for seed in range(1, seeds + 1):
            photos = Path(folder) / f"photos-{seed}"
            write_photos(photos, seed)
            for tower in TOWERS:
                own = [one for one in chosen if one.tower == tower]
                if own:
                    runs += _runs(photos, Path(folder) / f"{tower}-{seed}", tower, seed, steps, own)
    report = Report("Deviations from the paper, in a world in miniature")
    report.text(_conditions(seeds, steps))
    for tower in TOWERS:
        own = [one for one in runs if one.tower == tower]
        if own:
            _table(report, tower, own)
    return write_report(report, {"steps": steps, "runs": [asdict(one) for one in runs]}, output)


def _runs(
    photos: Path, work: Path, tower: str, seed: int, steps: int, deviations: Sequence[Deviation]
) -> Iterable[Run]:
    write_clip(work / "clip", tower, seed)
    towers = load_towers(work / "clip", None, None)
    write_text_tower(towers, work / CLIP_TEXT)
    base = changed(
        read_config(CONFIGS / "paper.toml"),
        SMALL | {"training.steps": steps, "data.label_split_seed": seed, "seed": seed},
    )
    recipes = {PAPER: base} | {one.name: deviating(base, [one]) for one in deviations}
    if len(deviations) > 1:
        recipes[ALL] = deviating(base, deviations)
    for recipe, config in recipes.items():
        figures = _figures(config, photos, work, towers)
        print(f"seed {seed}, {tower}, {recipe}: " + ", ".join(f"{one:.3f}" for one in figures), flush=True)
        yield Run(recipe, tower, seed, figures)


def _figures(config: Config, photos: Path, work: Path, towers: Towers) -> tuple[float, ...]:
    prepared = prepare_towers(config, CONFIGS / "paper.toml", Folders(photos, None, work), towers, torch.device("cpu"))
    Trainer(prepared.config, prepared.model, prepared.data, prepared.device, work).run(progress=False)
    prepared.load(work / CHECKPOINT)
    rows = prepared.data.images.rows(None, TEST)
    targets = prepared.data.images.targets[rows] >= 0.5
    scores = _scores(prepared, rows)
    unseen = ~prepared.data.labels.seen
    zsl, gzsl = (_result(scores[:, chosen], targets[:, chosen]) for chosen in (unseen, np.ones_like(unseen)))
    return zsl.mean_average_precision, gzsl.mean_average_precision, zsl.f1_at_3, gzsl.f1_at_3


def _scores(prepared: Prepared, rows: np.ndarray) -> np.ndarray:
    """[R, L], as the recipe serves them."""
    labels = prepared.served_labels()
    if not prepared.config.tagging.blended:
        return prepared.predict(rows, labels)[0]
    calibration, reference = blend.calibrate(prepared)
    return blend.scores_by_method(prepared, rows, labels, calibration, reference).by_method["blend"]


def _result(scores: np.ndarray, targets: np.ndarray) -> MultiLabelResult:
    return multi_label_results(MethodScores({"": scores}, scores), targets, np.ones_like(targets))[0]


def deviating(base: Config, deviations: Iterable[Deviation]) -> Config:
    """``base`` with our recipe's values for the keys of some deviations."""
    ours = read_config(CONFIGS / "nus-wide.toml")
    values = {}
    for one in deviations:
        values |= {key: one.small.get(key, value_of(ours, key)) for key in one.keys}
    return changed(base, values)


def changed(config: Config, values: dict[str, Any]) -> Config:
    """``config`` with other values by key, such as ``training.steps``."""
    for key, value in values.items():
        *table, name = key.split(".")
        part = value_of(config, table[0]) if table else config
        part = replace(part, **{name: value})
        config = replace(config, **{table[0]: part}) if table else part
    return config


def value_of(config: Config, key: str) -> Any:
    for name in key.split("."):
        config = getattr(config, name)
    return config


def _conditions(seeds: int, steps: int) -> str:
    return (
        f"{len(LABELS)} labels, a fifth of them unseen, on {SIZES['train']} generated photos; a CLIP of its own for each of"
        f" {seeds} seeds; {steps} steps of {SMALL['training.images_per_source']['images']} photos. In percent, on"
        f" {SIZES['test']} test photos, F1 over those with a label: the paper's recipe, then how far each deviation moves it,"
        " means over seeds with the lowest and highest in brackets. Differences within the brackets of both signs are noise."
        " A world this simple shows what a switch does; it says nothing about photos."
    )


def _table(report: Report, tower: str, runs: Sequence[Run]) -> None:
    report.section(f"{tower} towers")
    report.lines += [f"| recipe | {' | '.join(FIGURES)} |", "|---" * (1 + len(FIGURES)) + "|"]
    base = {one.seed: np.array(one.figures) for one in runs if one.recipe == PAPER}
    for recipe in dict.fromkeys(one.recipe for one in runs):
        found = 100 * np.array([one.figures for one in runs if one.recipe == recipe])  # [seeds, figures]
        sign = ""
        if recipe != PAPER:
            found, sign = found - 100 * np.array(list(base.values())), "+"
        cells = [
            f"{column.mean():{sign}.1f} ({column.min():{sign}.1f} to {column.max():{sign}.1f})" for column in found.T
        ]
        report.lines.append(f"| {recipe} | {' | '.join(cells)} |")
    report.lines.append("")
