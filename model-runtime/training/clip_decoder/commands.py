# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""What each command does, from a configuration and folders to files in the work folder."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

from torch import nn

from clip_decoder import blend
from clip_decoder.bundle.graphs import ImageEncoderGraph, NearnessEncoder, ServedDecoder
from clip_decoder.bundle.scoring import Scoring
from clip_decoder.bundle.served import ServedBundle
from clip_decoder.bundle.writer import ExportReport, TextSpecification, write_bundle
from clip_decoder.calibration import Calibration, read_calibration, write_calibration
from clip_decoder.config import Config, read_config
from clip_decoder.data.dataset import TEST
from clip_decoder.data.everyday import published_prompts
from clip_decoder.data.exhaustive import KEPT_LIST, learned_and_kept, read_exhaustive
from clip_decoder.data.images import ImageStore
from clip_decoder.data.labels import read_labels, slug
from clip_decoder.data.scenery import combined, read_scenery
from clip_decoder.data.words import by_other_name
from clip_decoder.errors import ConfigError
from clip_decoder.measure import (
    PERSON,
    BundleMeasurement,
    Measurement,
    judged_scenery,
    measure_judged,
    measure_kept,
    measure_labels,
    measure_names,
    measure_scenery,
    measure_tags,
    named_photos,
    taught_words,
)
from clip_decoder.pipeline import CLIP, Folders, list_images, open_text_encoder
from clip_decoder.prepared import Prepared, Reference, open_measured, open_prepared
from clip_decoder.report import Report
from clip_decoder.teach import Policy, Taught
from clip_decoder.teach import teach as learn
from clip_decoder.training import Trainer

CHECKPOINT = "checkpoint.pt"
REFERENCE = "reference.npz"
RESULTS = "results.json"


def train(config_path: Path, folders: Folders, device: str, resume: bool) -> Path:
    """Trains and returns the checkpoint; ``resume`` continues from the one in the work folder."""
    return train_prepared(open_prepared(config_path, folders, device), folders.work, resume)


def calibrate(config_path: Path, folders: Folders, device: str, checkpoint: Path) -> Calibration:
    """Fits scores and thresholds on the photos set aside for it; writes calibration.json and reference.npz."""
    calibration, reference = blend.calibrate(open_prepared(config_path, folders, device).load(checkpoint))
    write_calibration(folders.work / "calibration.json", calibration)
    reference.save(folders.work / REFERENCE)
    return calibration


def evaluate(
    config_path: Path, folders: Folders, device: str, checkpoint: Path | None, output: Path, bundle: Path | None = None
) -> Path:
    """Writes report.md, results.json and plots to ``output``; returns the report's path.

    With ``bundle``, evaluates that bundle's files instead of a checkpoint's model.
    """
    if bundle is None:
        measurement = _calibrated(config_path, folders, device, checkpoint)
    else:
        measurement = BundleMeasurement.open(open_measured(config_path, folders, device), ServedBundle(bundle))
    config = measurement.prepared.config
    report = Report(f"Evaluation of {config.bundle.id} {config.bundle.version}")
    results = measure_labels(measurement, report)
    if config.data.kind == "everyday":
        results |= measure_names(measurement, report)
    results |= measure_tags(measurement, report, output)
    if config.data.judged:
        results |= measure_judged(measurement, report)
    if config.data.scenery:
        results |= measure_scenery(measurement, report)
    if config.data.photos and isinstance(measurement, BundleMeasurement):
        results |= measure_kept(measurement, report)
    return write_report(report, results, output)


def evaluate_splits(config_path: Path, folders: Folders, device: str, output: Path) -> Path:
    """Trains, calibrates and measures once for each label split of ``[splits]``; writes report.md and results.json.

    Each run keeps its checkpoint and results in its own folder inside the work folder; a complete run is reused.
    """
    config = read_config(config_path)
    if config.splits.count < 1:
        raise ConfigError(f"{config_path}: splits.count must be 1 or more to evaluate splits, got {config.splits.count}")
    report = Report(f"Unseen labels: {config.bundle.id} {config.bundle.version}, {config.splits.count} label splits")
    runs = []
    for split in range(config.splits.count):
        record = folders.work / f"split-{split}" / RESULTS
        if not record.exists():
            prepared = open_prepared(config_path, folders, device, _split_config(config, split))
            _measure_split(prepared, record)
        found = json.loads(record.read_text(encoding="utf-8"))
        report.section(f"Split {split}")
        report.lines += found["report"]
        runs.append(found["results"])
    report.section("Mean over the splits")
    means = report.means(runs)
    return write_report(report, {"mean": means, "splits": runs}, output)


def export(config_path: Path, folders: Folders, device: str, checkpoint: Path, output: Path) -> ExportReport:
    """Writes the bundle directory with its vocabulary.csv."""
    return export_measured(_calibrated(config_path, folders, device, checkpoint), output)


def export_measured(measurement: Measurement, output: Path) -> ExportReport:
    """``export`` of a model that is in memory already."""
    prepared, calibration = measurement.prepared, measurement.calibration
    config = prepared.config
    _, graph, tokenizer = open_text_encoder(config, prepared.folders)
    places = [f"classpath:{graph.name}", f"classpath:{tokenizer.name}"]
    if config.image.backbone == CLIP:
        output.mkdir(parents=True, exist_ok=True)
        graph, tokenizer = (Path(shutil.copy(path, output / path.name)) for path in (graph, tokenizer))
        places = [graph.name, tokenizer.name]
    encoder, decoder = _graphs(measurement)
    report = write_bundle(
        output,
        encoder,
        decoder,
        config.image.size,
        config.image.resize,
        config.bundle,
        TextSpecification(
            graph,
            tokenizer,
            *places,
            config.text.max_tokens,
            config.text.pooling,
            config.text.templates,
        ),
        prepared.data.center if config.text.centred else None,
        measurement.reference.embeddings,
        Scoring(
            round(calibration.decoder_weight, 4),
            round(calibration.cosine_weight, 4),
            round(calibration.bias, 4),
            calibration.threshold,
            config.tagging.top_k,
            config.tagging.candidate_cutoff,
            config.tagging.candidate_prior_weight,
        ),
        added_rows=decoder.added_rows if isinstance(decoder, ServedDecoder) else 0,
    )
    if config.data.kind == "everyday":
        labels = read_labels(prepared.config_path.parent / config.data.labels)
        rows = [(label.id, label.name, "|".join(published_prompts(label))) for label in labels]
    else:
        space = prepared.data.labels
        names = [space.names[index] for index in space.published()]
        rows = [(slug(name) or name, name, "") for name in names]
    write_vocabulary(output / "vocabulary.csv", rows, calibration)
    return report


def _graphs(measurement: Measurement) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder as served: the calibrated scores follow from the decoder and plain z alone."""
    model, reference, calibration = measurement.prepared.model.cpu().eval(), measurement.reference, measurement.calibration
    encoder = ImageEncoderGraph(model)
    if not len(reference.labels):
        return encoder.eval(), model.decoder  # no prior either, see `fit`
    decoder = ServedDecoder(
        model.decoder,
        reference.tokens,
        reference.labels,
        calibration.prior_share,
        calibration.cosine_weight / calibration.decoder_weight,
    )
    return NearnessEncoder(encoder, reference.labels, reference.embeddings).eval(), decoder.eval()


def teach(config_path: Path, folders: Folders, bundle: Path, output: Path, keep_encoder: bool = False) -> Taught:
    """Teaches an exported bundle words from judged photos; writes another bundle, named as the configuration says.

    Photos that are set aside for tests, and the kept fold of ``data.photos``, are not used. All that is computed of photos
    is what the bundle's own image encoder gives. ``keep_encoder``: as ``clip_decoder.teach.teach`` says.
    """
    config = read_config(config_path)
    if not config.data.scenery:
        raise ConfigError(f"{config_path}: data.scenery names no file of judged photos to learn from")
    words = taught_words(config, config_path)
    called = by_other_name(words)
    images = list_images(config, config_path, folders)
    parts = [judged_scenery(config_path.parent / config.data.scenery, images, learned=True)]
    kept_photos: set[str] = set()
    if config.data.indoors:
        parts.append(read_scenery(config_path.parent / config.data.indoors))
    if config.data.photos:
        lists = read_exhaustive(folders.data / config.data.photos / "labels.csv", called)
        learned, kept = learned_and_kept(lists)
        parts.append(learned)
        kept_photos = set(kept.images)
        # The other list's photos were chosen for its other words, which are more common there than elsewhere.
        parts += [lists[name].columns([PERSON]) for name in lists if name != KEPT_LIST and PERSON in lists[name].words]
        if config.data.streets:
            parts.append(read_scenery(config_path.parent / config.data.streets, lists[KEPT_LIST].words))
    tested = {images.names[row] for row in images.rows(None, TEST)} | kept_photos
    misused = sorted(tested & {image for part in parts for image in part.images})
    if misused:
        raise ConfigError(f"{config_path}: to learn from, but set aside for tests: {', '.join(misused[:5])}")
    with ImageStore(folders.data) as store:
        return learn(
            ServedBundle(bundle),
            combined(parts, called),
            named_photos(config, folders.data, images),
            words,
            _trained_words(config, config_path, ServedBundle(bundle)),
            store,
            open_text_encoder(config, folders)[0],
            config.bundle,
            Policy(
                config.tagging.taught_precision,
                config.tagging.guarded,
                config.tagging.candidate_cutoff,
                config.tagging.headless,
                config.tagging.stated_thresholds,
            ),
            config.seed,
            output,
            keep_encoder,
        )


def _trained_words(config: Config, config_path: Path, bundle: ServedBundle) -> list[str]:
    """The labels that training knew; of other data, the labels of the bundle to teach."""
    if config.data.kind == "everyday":
        return [label.name for label in read_labels(config_path.parent / config.data.labels)]
    return [row["name"] for row in bundle.vocabulary()]


def write_vocabulary(path: Path, labels: list[tuple[str, str, str]], calibration: Calibration) -> None:
    """Writes labels (id, name, prompts) as the vocabulary served with a bundle, without the withheld ones."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "name", "prompts", "threshold", "state"])
        for label, name, prompts in labels:
            if name not in calibration.withheld:
                writer.writerow([label, name, prompts, calibration.thresholds.get(name, ""), ""])


def train_prepared(prepared: Prepared, folder: Path, resume: bool) -> Path:
    """Trains what was opened; returns the checkpoint in ``folder``."""
    trainer = Trainer(prepared.config, prepared.model, prepared.data, prepared.device, folder)
    checkpoint = folder / CHECKPOINT
    if resume:
        trainer.resume(checkpoint)
        print(f"resumed at step {trainer.step} of {prepared.config.training.steps}", flush=True)
    trainer.run()
    return checkpoint


def _measure_split(prepared: Prepared, record: Path) -> None:
    """Trains if that is not done yet, calibrates, measures, and writes the results to ``record``."""
    folder = record.parent
    if not (folder / "done").exists():
        train_prepared(prepared, folder, (folder / CHECKPOINT).exists())
        (folder / "done").touch()
    calibration, reference = blend.calibrate(prepared.load(folder / CHECKPOINT))
    measurement = Measurement(prepared, calibration, reference)
    report = Report("")
    results = measure_labels(measurement, report)
    if prepared.config.data.kind == "everyday":
        results |= measure_names(measurement, report)
    record.write_text(json.dumps({"results": results, "report": report.lines}, indent=2), encoding="utf-8")


def _calibrated(config_path: Path, folders: Folders, device: str, checkpoint: Path) -> Measurement:
    prepared = open_prepared(config_path, folders, device).load(checkpoint)
    calibration = read_calibration(folders.work / "calibration.json")
    prepared.project(calibration.projection_share)
    return Measurement(prepared, calibration, Reference.read(folders.work / REFERENCE))


def _split_config(config: Config, split: int) -> Config:
    splits = config.splits
    data = replace(
        config.data, unseen_share=splits.unseen_share, unseen_source=splits.unseen_source, label_split_seed=split
    )
    return replace(config, data=data)


def write_report(report: Report, results: dict, output: Path) -> Path:
    """Writes report.md and results.json; returns the former's path."""
    output.mkdir(parents=True, exist_ok=True)
    report.write(output / "report.md")
    (output / RESULTS).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return output / "report.md"
