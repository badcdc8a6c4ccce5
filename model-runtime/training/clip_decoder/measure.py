# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The sections of an evaluation report: ranking of labels, naming of single things, and the tags that are served."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from clip_decoder.blend import answers, class_name_embeddings, scores_by_method
from clip_decoder.bundle.scoring import scores as served_scores
from clip_decoder.bundle.scoring import standardised_cosine
from clip_decoder.bundle.served import ServedBundle
from clip_decoder.calibration import FULLY_KNOWN, Calibration, fit_naming_rates
from clip_decoder.config import Config
from clip_decoder.data.dataset import CALIBRATE, TEST, ListedImages
from clip_decoder.data.everyday import EverydaySources
from clip_decoder.data.exhaustive import learned_and_kept, read_exhaustive
from clip_decoder.data.images import ImageStore
from clip_decoder.data.judged import read_judged
from clip_decoder.data.scenery import Scenery, read_scenery
from clip_decoder.data.words import Word, by_other_name, read_words
from clip_decoder.evaluation import (
    MethodScores,
    frequent,
    method_scores,
    multi_label_results,
    served_tags,
    single_label_results,
    tag_counts,
)
from clip_decoder.metrics import average_precision, calibration_bins, interval, mean_average_precision, top_k
from clip_decoder.prepared import Opened, Prepared, Reference
from clip_decoder.report import Report, plot_calibration, plot_label_precision, plot_scores
from clip_decoder.teach import Named

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


class BundleMeasurement(Measurement):
    """A bundle as its files serve it; photos are encoded on first use and kept."""

    prepared: Opened
    bundle: ServedBundle
    encoded: dict[int, tuple[np.ndarray, np.ndarray]]

    @staticmethod
    def open(prepared: Opened, bundle: ServedBundle) -> "BundleMeasurement":
        """The bundle's labels must be those of the configuration; its naming rates are fitted on calibration photos."""
        prepared.data.center = bundle.center
        vocabulary = {row["name"]: row["threshold"] for row in bundle.vocabulary()}
        names = [prepared.data.labels.names[index] for index in prepared.data.labels.published()]
        calibration = Calibration(
            bundle.scoring.decoder_weight,
            bundle.scoring.cosine_weight,
            bundle.scoring.bias,
            threshold=bundle.scoring.default_threshold,
            thresholds={name: float(threshold) for name, threshold in vocabulary.items() if threshold},
            withheld=tuple(name for name in names if name not in vocabulary),
        )
        measurement = BundleMeasurement(prepared, calibration, Reference(bundle.reference, np.zeros((0, 0)), bundle.reference[:0]))
        measurement.bundle, measurement.encoded = bundle, {}
        rows = prepared.data.images.rows(None, CALIBRATE)
        said = ~np.isin(names, unsaid_words(prepared))
        scores = measurement.scores(rows, prepared.served_labels()[said]).by_method["blend"]
        rates = fit_naming_rates(scores, answers(prepared, rows).columns(said))
        measurement.calibration = replace(calibration, naming_rates=rates)
        measurement.encoded.clear()
        return measurement

    def scores(self, rows: np.ndarray, labels: np.ndarray) -> MethodScores:
        data = self.prepared.data
        missing = [row for row in rows if row not in self.encoded]
        if missing:
            with ImageStore(self.prepared.folders.data) as store:
                tokens, embeddings = self.bundle.encode(store, [data.images.names[row] for row in missing])
            self.encoded |= dict(zip(missing, zip(tokens, embeddings, strict=True), strict=True))
        tokens = np.stack([self.encoded[row][0] for row in rows])
        embeddings = np.stack([self.encoded[row][1] for row in rows])
        logits = self.bundle.logits(tokens, labels)
        return method_scores(
            logits,
            embeddings,
            labels,
            served_scores(
                logits, standardised_cosine(embeddings, labels, self.bundle.reference), self.bundle.scoring
            ),
            class_name_embeddings(self.prepared, rows),
        )


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
        chosen = chosen & frequent(targets, known)
        found = multi_label_results(scores.columns(chosen), targets[:, chosen], known[:, chosen])
        report.text(f"**{title}**")
        report.multi_label(found)
        results[f"{source}, {title}"] = [asdict(one) for one in found]
    return results


def measure_names(measurement: Measurement, report: Report) -> dict[str, list[dict]]:
    """Naming photos of one thing, among all names of their set."""
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
        if PERSON in names:
            column = names.index(PERSON)
            answered = (known.weights[:, column] > 0) & (known.groups[:, column] == FULLY_KNOWN)
            free = answered & (known.targets[:, column] == 0)
            if free.any():
                counts |= {
                    "person_free_photos": int(free.sum()),
                    "false_person": float((scores[free, column] >= thresholds[column]).mean()),
                }
        found.append(counts)
        unsaid = np.isin(names, unsaid_words(prepared))  # judged by eye instead: captions leave these out
        bins[source] = calibration_bins(scores[:, ~unsaid], truth[:, ~unsaid], known.weights[:, ~unsaid])
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
    """People's judgements of the tags: no source names everything, so only people tell wrong tags from unnamed ones."""
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


def judged_scenery(path: Path, images: ListedImages, learned: bool) -> Scenery:
    """The photos of the file ``data.scenery``: those to learn from, or those of ``images`` that are set aside for tests.

    ValueError where one to learn from is not in the data at all.
    """
    scenery = read_scenery(path)
    unknown = sorted(set(scenery.images) - set(images.names))
    if learned and unknown:
        raise ValueError(f"{path.name}: no such image in the data: {', '.join(unknown[:5])}")
    tests = {images.names[row] for row in images.rows(None, TEST)}
    return scenery.photos(np.array([(image in tests) != learned for image in scenery.images]))


def taught_words(config: Config, config_path: Path) -> list[Word]:
    """The words of ``data.words``, if there is one."""
    return read_words(config_path.parent / config.data.words) if config.data.words else []


def named_photos(config: Config, data: Path, images: ListedImages) -> list[Named]:
    """The calibration photos of the sources that name one thing in each photo, where the data folder has such."""
    if config.data.kind != "everyday":
        return []
    sources = EverydaySources(data)
    found = []
    for source in NAMED_SOURCES:
        names = [images.names[row] for row in images.rows(source, CALIBRATE)]
        found.append(Named(names, sources.labels_of(names)))
    return found


def unsaid_words(prepared: Opened) -> list[str]:
    """The words of ``data.scenery``, if there is one."""
    scenery = prepared.config.data.scenery
    return read_scenery(prepared.config_path.parent / scenery).words if scenery else []


def measure_scenery(measurement: Measurement, report: Report) -> dict[str, list[dict]]:
    """Words that captions leave out, on test photos judged by eye: right tags and missing tags."""
    prepared, calibration = measurement.prepared, measurement.calibration
    images, space = prepared.data.images, prepared.data.labels
    scenery = judged_scenery(prepared.config_path.parent / prepared.config.data.scenery, images, learned=False)
    names = [space.names[index] for index in space.published()]
    words = [word for word in scenery.words if word in names and word not in calibration.withheld]
    scenery = scenery.columns(words)
    row_of = {name: row for row, name in enumerate(images.names)}
    rows = np.array([row_of[image] for image in scenery.images])
    labels = prepared.served_labels()[[names.index(word) for word in words]]
    scores = measurement.scores(rows, labels).by_method["blend"]
    tagged = (scores >= calibration.label_thresholds(words)) & scenery.known
    right = scenery.present & scenery.known
    report.section(f"Scenery, judged by eye: {len(words)} words, {len(rows)} test photos")
    report.text(
        f"{tagged.sum() / len(rows):.2f} of these tags a photo, of which {(tagged & right).sum()} of {tagged.sum()} are "
        f"right; of {right.sum()} words that are there {(tagged & right).sum()} are tags."
    )
    report.lines += ["| word | tags | right | there | average precision |", "|---|---|---|---|---|"]
    found = []
    for column, word in enumerate(words):
        known = scenery.known[:, column]
        precision = average_precision(scores[known, column], scenery.present[known, column])
        counts = [int(part[:, column].sum()) for part in (tagged, tagged & right, right)]
        found.append({"word": word, "tags": counts[0], "right": counts[1], "there": counts[2], "ap": precision})
        report.lines.append(f"| {word} | {counts[0]} | {counts[1]} | {counts[2]} | {precision:.2f} |")
    report.lines.append("")
    bins = calibration_bins(scores, scenery.present.astype(np.float32), scenery.known.astype(np.float32))
    report.calibration({"scenery": bins})
    return {"scenery": found, "calibration, scenery": [asdict(one) for one in bins]}


def measure_kept(measurement: BundleMeasurement, report: Report) -> dict[str, list[dict]]:
    """The kept fold of everyday photos: every name that the list has, with tags as served with the whole vocabulary."""
    prepared, bundle = measurement.prepared, measurement.bundle
    words = taught_words(prepared.config, prepared.config_path)
    path = prepared.folders.data / prepared.config.data.photos / "labels.csv"
    kept = learned_and_kept(read_exhaustive(path, by_other_name(words)))[1]
    vocabulary = {row["name"]: row for row in bundle.vocabulary()}
    stated = {word.name: word.row() for word in words}
    rows = list((vocabulary | {word: vocabulary.get(word, stated.get(word, {"name": word})) for word in kept.words}).values())
    names = [row["name"] for row in rows]
    labels = bundle.label_vectors(prepared.text_encoder(), rows)
    with ImageStore(prepared.folders.data) as store:
        tokens, embeddings = bundle.encode(store, kept.images)
    z = standardised_cosine(embeddings, labels, bundle.reference)
    scores = served_scores(bundle.logits(tokens, labels), z, bundle.scoring)
    thresholds = np.array([float(row.get("threshold") or bundle.scoring.default_threshold) for row in rows])
    columns = [names.index(word) for word in kept.words]
    tagged = served_tags(scores, thresholds, bundle.scoring.top_k)[:, columns]
    return kept_results(report, kept, scores[:, columns], tagged)


def kept_results(report: Report, kept: Scenery, scores: np.ndarray, tagged: np.ndarray) -> dict[str, list[dict]]:
    """Ranking, precision and recall over all names, with intervals over photos, and by name; scores, tagged [N, W]."""
    right, count = kept.present, len(kept.images)
    figures = {
        "mAP": lambda rows: mean_average_precision(scores[rows], right[rows]),
        "F1@3": lambda rows: top_k(scores[rows], right[rows], 3).f1,
        "precision": lambda rows: (tagged & right)[rows].sum() / max(1, tagged[rows].sum()),
        "recall": lambda rows: (tagged & right)[rows].sum() / max(1, right[rows].sum()),
    }
    report.section(f"Everyday photos: a kept fold of {count}, {len(kept.words)} names")
    report.lines += ["| figure | value | 95 % interval |", "|---|---|---|"]
    found = []
    for name, figure in figures.items():
        low, high = interval(figure, count)
        value = float(figure(np.arange(count)))
        found.append({"figure": name, "value": value, "low": low, "high": high})
        report.lines.append(f"| {name} | {value:.3f} | {low:.3f} to {high:.3f} |")
    report.lines += ["", "| name | there | tags | right | average precision |", "|---|---|---|---|---|"]
    by_name = []
    for column in np.argsort(-right.sum(0), kind="stable"):
        there, tags, hits = (int(part[:, column].sum()) for part in (right, tagged, tagged & right))
        precision = average_precision(scores[:, column], right[:, column])
        by_name.append({"name": kept.words[column], "there": there, "tags": tags, "right": hits, "ap": precision})
        report.lines.append(f"| {kept.words[column]} | {there} | {tags} | {hits} | {precision:.2f} |")
    report.lines.append("")
    return {"kept fold": found, "kept fold, by name": by_name}
