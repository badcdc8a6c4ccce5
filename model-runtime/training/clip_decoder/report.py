# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation report: Markdown with plots as PNG beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from clip_decoder.evaluation import MultiLabelResult, SingleLabelResult
from clip_decoder.metrics import CalibrationBin, average_precision, expected_calibration_error


@dataclass
class Report:
    """Sections in the order they were added, written at once by ``write``."""

    title: str
    lines: list[str] = field(default_factory=list)

    def text(self, text: str) -> None:
        self.lines += [text, ""]

    def section(self, heading: str) -> None:
        self.lines += [f"## {heading}", ""]

    def multi_label(self, results: Sequence[MultiLabelResult]) -> None:
        self.lines += [
            "| method | labels | mAP | F1@3, labelled images | F1@5, labelled | F1@3, all images | F1@5, all | chance mAP |",
            "|---|---|---|---|---|---|---|---|",
        ]
        self.lines += [
            f"| {one.method} | {one.labels} | {one.mean_average_precision:.3f} | {one.f1_at_3:.3f} | {one.f1_at_5:.3f} "
            f"| {one.f1_at_3_all_images:.3f} | {one.f1_at_5_all_images:.3f} | {one.chance:.3f} |"
            for one in results
        ]
        self.lines.append("")

    def single_label(self, results: Sequence[SingleLabelResult]) -> None:
        self.lines += ["| method | names | top-1 | mAP | chance top-1 |", "|---|---|---|---|---|"]
        self.lines += [
            f"| {one.method} | {one.labels} | {one.top1:.3f} | {one.mean_average_precision:.3f} | {one.chance:.3f} |"
            for one in results
        ]
        self.lines.append("")

    def tags(self, results: Sequence[dict]) -> None:
        self.lines += [
            "| source | test photos | tags a photo | without a tag | 3 to 8 tags | false person (photos without people) |",
            "|---|---|---|---|---|---|",
        ]
        for one in results:
            people = (
                f"{one['false_person']:.1%} ({one['person_free_photos']})" if "false_person" in one else "-"
            )
            self.lines.append(
                f"| {one['source']} | {one['photos']} | {one['tags_per_photo']:.2f} | {one['untagged']:.1%} "
                f"| {one['three_to_eight']:.1%} | {people} |"
            )
        self.lines.append("")

    def calibration(self, bins: dict[str, list[CalibrationBin]]) -> None:
        """The share of right answers by score, and the number of scores."""
        lows = sorted({one.low for found in bins.values() for one in found})
        self.lines += [
            "| score | " + " | ".join(bins) + " |",
            "|---|" + "---|" * len(bins),
        ]
        for low in lows:
            cells = []
            for found in bins.values():
                own = [one for one in found if one.low == low]
                cells.append(f"{own[0].accuracy:.2f} ({own[0].count})" if own else "-")
            self.lines.append(f"| {low:.1f} to {low + 0.1:.1f} | " + " | ".join(cells) + " |")
        self.lines.append("")

    def means(self, runs: Sequence[dict[str, list[dict]]]) -> dict[str, list[dict]]:
        """A table of several runs' figures: means, lowest and highest values; returns the means."""
        found: dict[str, list[dict]] = {}
        self.lines += ["| set | method | figure | mean | lowest | highest |", "|---|---|---|---|---|---|"]
        for title in runs[0]:
            for index, first in enumerate(runs[0][title]):
                row = {"method": first["method"]}
                for figure in first:
                    if figure not in ("method", "labels", "chance"):
                        values = [run[title][index][figure] for run in runs]
                        row[figure] = float(np.mean(values))
                        self.lines.append(
                            f"| {title} | {first['method']} | {figure} | {row[figure]:.3f} "
                            f"| {min(values):.3f} | {max(values):.3f} |"
                        )
                found.setdefault(title, []).append(row)
        self.lines.append("")
        return found

    def image(self, name: str, caption: str) -> None:
        self.lines += [f"![{caption}]({name})", ""]

    def write(self, path: Path) -> None:
        path.write_text("\n".join([f"# {self.title}", "", *self.lines]), encoding="utf-8")


def plot_label_precision(path: Path, names: Sequence[str], scores: np.ndarray, targets: np.ndarray, most: int = 60) -> None:
    """Average precision label by label, the best and the worst ``most / 2``; scores, targets: [N, L]."""
    values = [(average_precision(scores[:, i], targets[:, i]), name) for i, name in enumerate(names)]
    values = sorted(value for value in values if not np.isnan(value[0]))
    if len(values) > most:
        values = values[: most // 2] + values[-most // 2 :]
    figure, axes = plt.subplots(figsize=(7, 0.2 * len(values) + 1))
    axes.barh([name for _, name in values], [value for value, _ in values], color="#3b6ea5")
    axes.set_xlabel("average precision")
    axes.set_xlim(0, 1)
    axes.tick_params(labelsize=7)
    _save(figure, path)


def plot_calibration(path: Path, bins_by_name: dict[str, list[CalibrationBin]]) -> None:
    """Right answers against scores, one line per set of photos."""
    figure, axes = plt.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", label="exact")
    for name, bins in bins_by_name.items():
        error = expected_calibration_error(bins)
        axes.plot([one.mean_score for one in bins], [one.accuracy for one in bins], "o-", label=f"{name} ({error:.3f})")
    axes.set_xlabel("score")
    axes.set_ylabel("share that was right")
    axes.legend()
    _save(figure, path)


def plot_scores(path: Path, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> None:
    """Histograms of the scores of labels that are there and of those that are not; all of one shape."""
    figure, axes = plt.subplots(figsize=(6, 4))
    edges = np.linspace(0, 1, 41)
    for name, chosen in (("there", (targets >= 0.5) & (weights > 0)), ("not there", (targets < 0.5) & (weights > 0))):
        axes.hist(scores[chosen], edges, density=True, alpha=0.6, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("score")
    axes.set_ylabel("density")
    axes.legend()
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
