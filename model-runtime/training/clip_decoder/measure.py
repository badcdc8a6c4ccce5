# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The sections of an evaluation report: ranking of labels, naming of single things, and the tags that are served."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from clip_decoder.blend import answers, scores_by_method
from clip_decoder.calibration import Calibration
from clip_decoder.data.dataset import TEST
from clip_decoder.data.everyday import EverydaySources
from clip_decoder.data.judged import read_judged
from clip_decoder.evaluation import multi_label_results, single_label_results, tag_counts
from clip_decoder.metrics import calibration_bins
from clip_decoder.prepared import Prepared, Reference
from clip_decoder.report import Report, plot_calibration, plot_label_precision, plot_scores

PERSON = "person"
NAMED_SOURCES = ("caltech101", "scenes")


@dataclass
class Measurement:
    """A trained model as it is served."""

    prepared: Prepared
    calibration: Calibration
    reference: Reference

    def scores(self, rows: np.ndarray, labels: np.ndarray):
        return scores_by_method(self.prepared, rows, labels, self.calibration, self.reference)


def measure_labels(measurement: Measurement, report: Report) -> dict[str, list[dict]]:
    """Ranking of the published labels on the source whose photos name most of what is in them."""
    images, space = measurement.prepared.data.images, measurement.prepared.data.labels
    source = images.source_names[0]
    rows = images.rows(source, TEST)
    published = space.published()
    scores = measurement.scores(rows, measurement.prepared.served_labels())
    targets = images.targets[rows][:, published] >= 0.5
    known = images.weights[rows][:, published] > 0
    seen = space.seen[published]
    report.section(f"In domain: {source}, {len(rows)} test photos")
    groups = {"all labels (GZSL)": np.ones(len(published), bool)}
    if not seen.all():
        groups |= {"seen labels": seen, "unseen labels (ZSL)": ~seen}
    results = {}
    for title, chosen in groups.items():
        found = multi_label_results(scores.columns(chosen), targets[:, chosen], known[:, chosen])
        report.text(f"**{title}**")
        report.multi_label(found)
        results[f"{source}, {title}"] = [asdict(one) for one in found]
    return results


def measure_names(measurement: Measurement, report: Report) -> dict[str, list[dict]]:
    """Photos of one thing, named among all names of their set."""
    prepared = measurement.prepared
    images = prepared.data.images
    sources = EverydaySources(prepared.folders.data)
    text = prepared.text_encoder()
    results = {}
    for source in NAMED_SOURCES:
        rows = images.rows(source, TEST)
        truth = sources.labels_of([images.names[row] for row in rows])
        names = sorted(set(truth))
        scores = measurement.scores(rows, prepared.name_vectors(text, names))
        found = single_label_results(scores, np.array([names.index(name) for name in truth]))
        report.section(f"{source}: {len(rows)} test photos, zero-shot over {len(names)} names")
        report.single_label(found)
        results[source] = [asdict(one) for one in found]
    return results


def measure_tags(measurement: Measurement, report: Report, output: Path) -> dict[str, list[dict]]:
    """What a worker with the default vocabulary would emit, and whether scores mean what they say."""
    prepared, calibration = measurement.prepared, measurement.calibration
    images, space = prepared.data.images, prepared.data.labels
    names = [space.names[index] for index in space.published()]
    served = np.array([name not in calibration.withheld for name in names])
    names = [name for name, is_served in zip(names, served, strict=True) if is_served]
    thresholds = calibration.label_thresholds(names)
    labels = prepared.served_labels()[served]
    report.section("Tags as served")
    report.text(
        f"{len(names)} labels, threshold {calibration.threshold}, {len(calibration.thresholds)} with one of their own."
    )
    found, bins = [], {}
    for source in images.source_names:
        rows = images.rows(source, TEST)
        if not len(rows):
            continue
        known = answers(prepared, rows).columns(served)
        truth = known.truth(calibration.naming_rates)
        scores = measurement.scores(rows, labels).by_method["blend"]
        counts = tag_counts(source, scores, thresholds, prepared.config.tagging.top_k)
        free = people_free(prepared, rows)
        if PERSON in names and free.any():
            column = names.index(PERSON)
            counts |= {
                "person_free_photos": int(free.sum()),
                "false_person": float((scores[free, column] >= thresholds[column]).mean()),
            }
        found.append(counts)
        bins[source] = calibration_bins(scores, truth, known.weights)
        if source == images.source_names[0]:
            output.mkdir(parents=True, exist_ok=True)
            plot_label_precision(output / "labels.png", names, scores, known.targets > 0)
            plot_scores(output / "scores.png", scores, known.targets, known.weights)
    plot_calibration(output / "calibration.png", bins)
    report.tags(found)
    report.calibration(bins)
    report.image("labels.png", "average precision by label")
    report.image("scores.png", "scores of labels that are there and not")
    report.image("calibration.png", "calibration, with the expected calibration error")
    return {
        "tags": found,
        **{f"calibration, {source}": [asdict(one) for one in found] for source, found in bins.items()},
    }


def measure_judged(measurement: Measurement, report: Report) -> dict[str, list[dict]]:
    """What people say of the tags: no source names everything, so only they can tell a wrong tag from an unnamed one."""
    prepared, calibration = measurement.prepared, measurement.calibration
    images, space = prepared.data.images, prepared.data.labels
    judged = read_judged(prepared.config_path.parent / prepared.config.data.judged)
    published = space.published()
    names = [space.names[index] for index in published]
    row_of = {name: row for row, name in enumerate(images.names)}
    photos = sorted({one.image for one in judged})
    missing = [photo for photo in photos if photo not in row_of]
    if missing:
        raise ValueError(f"{prepared.config.data.judged}: no such image in the data: {', '.join(missing[:5])}")
    rows = np.array([row_of[photo] for photo in photos])
    scores = measurement.scores(rows, prepared.served_labels()).by_method["blend"]
    pairs = [one for one in judged if one.label in names and one.label not in calibration.withheld]
    found = np.array([scores[photos.index(one.image), names.index(one.label)] for one in pairs])
    right = np.array([one.right for one in pairs], np.float32)
    thresholds = calibration.label_thresholds([one.label for one in pairs])
    tagged = found >= thresholds
    bins = calibration_bins(found, right, np.ones_like(right))
    report.section(f"Judged by eye: {len(pairs)} pairs of photo and label, {len(photos)} photos")
    report.text(f"Of {tagged.sum()} tags {right[tagged].mean():.1%} are right.")
    report.calibration({"judged": bins})
    return {
        "judged": [{"photos": len(photos), "tags": int(tagged.sum()), "right": float(right[tagged].mean())}],
        "calibration, judged": [asdict(one) for one in bins],
    }


def people_free(prepared: Prepared, rows: np.ndarray) -> np.ndarray:
    """bool [R]: photos that certainly show nobody, by what their set calls them."""
    if prepared.config.data.kind != "everyday":
        return np.zeros(len(rows), bool)
    images = prepared.data.images
    labels = EverydaySources(prepared.folders.data).labels
    truth = [labels.get(images.names[row]) for row in rows]
    return np.array([name is not None and name != "street" and "face" not in name for name in truth])
