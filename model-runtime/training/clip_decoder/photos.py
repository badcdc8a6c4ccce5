# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Any bundle on anybody's labelled photos: how well it ranks, and which of its tags are right."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from clip_decoder.bundle.scoring import scores as served_scores
from clip_decoder.bundle.scoring import standardised_cosine
from clip_decoder.bundle.served import ServedBundle
from clip_decoder.data.images import ImageStore, decode
from clip_decoder.data.multi_label import read_annotations
from clip_decoder.evaluation import MethodScores, multi_label_results, served_tags
from clip_decoder.metrics import average_precision
from clip_decoder.report import Report

# bounds what is held at once, however many photos there are
PHOTOS = 256


def measure_photos(bundle: Path, images: Path, labels: Path, text: Path | None, output: Path | None = None) -> str:
    """The report; also written to ``output`` with results.json. ``text``: where a bundle's ``classpath:`` texts lie.

    Every label of the file is scored, whether the bundle's vocabulary has it or not; what a photo's row does not name
    counts as absent. Thresholds and prompts are the vocabulary's where it has the label, else the bundle's own. Raises
    ValueError where no photo decodes.
    """
    served = ServedBundle(bundle)
    annotations = read_annotations(labels, 0)
    vocabulary = {row["name"]: row for row in served.vocabulary()}
    rows = [vocabulary.get(name, {"name": name}) for name in annotations.labels]
    vectors = served.label_vectors(served.text_encoder(text), rows)
    with ImageStore(images) as store:
        good = [name for name in annotations.images if name in store and decode(store.read(name)) is not None]
        if not good:
            raise ValueError(f"none of the {len(annotations.images)} photos of {labels} is in {images} and decodes")
        parts = [_score(served, store, good[at : at + PHOTOS], vectors) for at in range(0, len(good), PHOTOS)]
    by_method = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    targets = annotations.of(good).targets
    thresholds = np.array([float(row.get("threshold") or served.scoring.default_threshold) for row in rows])
    report = Report(f"{served.description['id']} {served.description['version']} on {images.name}")
    report.text(f"{len(good)} photos, {len(rows)} labels; {len(annotations.images) - len(good)} photos do not decode.")
    results = multi_label_results(MethodScores(by_method, parts[0]["cosine"]), targets, np.ones_like(targets))
    report.multi_label(results)
    found = {"ranking": [asdict(one) for one in results]}
    found |= _tags(report, served, annotations.labels, by_method["as served"], targets, thresholds)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        report.write(output / "report.md")
        (output / "results.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return "\n".join(report.lines)


def _score(served: ServedBundle, store: ImageStore, names: list[str], labels: np.ndarray) -> dict[str, np.ndarray]:
    tokens, embeddings = served.encode(store, names)
    z = standardised_cosine(embeddings, labels, served.reference)
    if tokens is None:
        return {"as served": served_scores(None, z, served.scoring), "cosine": embeddings @ labels.T}
    logits = served.logits(tokens, labels)
    scores = served_scores(logits, z, served.scoring)
    return {"as served": scores, "decoder": logits, "cosine": embeddings @ labels.T}


def _tags(
    report: Report,
    served: ServedBundle,
    names: list[str],
    scores: np.ndarray,
    targets: np.ndarray,
    thresholds: np.ndarray,
) -> dict[str, list[dict]]:
    """Tags as a worker would give them: from the threshold up, at most ``topK`` a photo."""
    tagged = served_tags(scores, thresholds, served.scoring.top_k)
    right, there = (tagged & targets).sum(), targets.sum()
    report.section("Tags")
    report.text(
        f"{tagged.sum() / len(tagged):.2f} tags a photo, of which {right} of {tagged.sum()} are right; of {there} labels"
        f" that are there {right} are tags; {(~tagged.any(1)).sum()} photos have no tag."
    )
    report.lines += ["| label | threshold | there | tags | right | average precision |", "|---|---|---|---|---|---|"]
    found = []
    for column in np.argsort(-targets.sum(0), kind="stable"):
        counts = [int(one[:, column].sum()) for one in (targets, tagged, tagged & targets)]
        precision = average_precision(scores[:, column], targets[:, column])
        found.append(
            {"label": names[column], "there": counts[0], "tags": counts[1], "right": counts[2], "ap": precision}
        )
        report.lines.append(
            f"| {names[column]} | {thresholds[column]:g} | {counts[0]} | {counts[1]} | {counts[2]} | {precision:.3f} |"
        )
    report.lines.append("")
    return {"tags": found}
