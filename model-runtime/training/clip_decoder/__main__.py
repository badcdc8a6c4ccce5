# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m clip_decoder train|calibrate|evaluate|splits|export|teach|time``"""

import argparse
import sys
from pathlib import Path

from clip_decoder import commands
from clip_decoder.bundle import timing as bundle_timing
from clip_decoder.bundle.graphs import ExportError
from clip_decoder.clip import command as clip_command
from clip_decoder.pipeline import Folders
from clip_decoder.training import DeviceError

USAGE_ERROR = 2
FAILURE = 1


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.action(options)
    except (ValueError, FileNotFoundError, DeviceError, ExportError) as error:
        print(f"clip_decoder: {error}", file=sys.stderr)
        return FAILURE if isinstance(error, ExportError) else USAGE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clip_decoder",
        description="Train, measure, calibrate and export bundles for Tagstream.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    subparsers = parser.add_subparsers(required=True, metavar="train|calibrate|evaluate|splits|export|teach|time")

    train = _command(subparsers, "train", "train a model; the checkpoint lands in the work folder", _train)
    train.add_argument("--resume", action="store_true", help="go on from the work folder's checkpoint")

    evaluate = _command(subparsers, "evaluate", "measure a trained model beside its baselines", _evaluate)
    evaluate.add_argument("--output", type=Path, required=True, help="folder for report.md, results.json and plots")

    evaluate.add_argument("--bundle", type=Path, help="measure this bundle's files, instead of a checkpoint")

    splits = _command(subparsers, "splits", "train and measure with other labels kept from training, run by run", _splits)
    splits.add_argument("--output", type=Path, required=True, help="folder for report.md and results.json")

    _command(subparsers, "calibrate", "fit scores and thresholds on photos set aside for it", _calibrate)

    export = _command(
        subparsers, "export", "write a bundle directory: of a trained model, or of a CLIP of your own", _export
    )
    clip_command.add_options(export)
    export.add_argument("--output", type=Path, required=True, help="the bundle directory to write")

    teach = _command(
        subparsers, "teach", "teach an exported bundle words that captions leave out, from photos judged by eye", _teach
    )
    teach.add_argument("--bundle", type=Path, required=True, help="the bundle directory to begin with")
    teach.add_argument("--output", type=Path, required=True, help="the bundle directory to write")

    timing = subparsers.add_parser("time", help="time a bundle's graphs on one core", description=bundle_timing.__doc__)
    timing.set_defaults(action=_time)
    timing.add_argument("--bundle", type=Path, required=True, help="the bundle directory")
    timing.add_argument("--labels", type=int, nargs="+", default=[100, 400, 4585], help="numbers of labels to decode")
    return parser


def _command(subparsers, name: str, help_text: str, action) -> argparse.ArgumentParser:
    command = subparsers.add_parser(
        name, help=help_text, description=help_text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    command.set_defaults(action=action)
    needed = name != "export"  # which may have --clip in their place
    command.add_argument("--config", type=Path, required=needed, help="a bundle's TOML file")
    command.add_argument("--data", type=Path, required=needed, help="the data folder, in the layout of its kind")
    command.add_argument("--text", type=Path, required=needed, help="folder or jar with the text graph and tokenizer")
    command.add_argument("--work", type=Path, required=needed, help="folder for caches, checkpoint and calibration")
    command.add_argument("--wordnet", type=Path, default=Folders.wordnet, help="WordNet 3.0 dictionary files")
    command.add_argument("--weights", type=Path, help="backbone checkpoint, instead of its PyPI package")
    command.add_argument("--unseen", type=Path, help="NUS-WIDE: JSON list of the unseen concepts")
    command.add_argument("--classes", type=Path, help="csv and nus-wide data: the backbone's 1,000 class names")
    command.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    if name not in ("train", "splits", "teach"):
        command.add_argument("--checkpoint", type=Path, help="default: checkpoint.pt in the work folder")
    return command


def _folders(options: argparse.Namespace) -> Folders:
    return Folders(
        options.data, options.text, options.work, options.wordnet, options.weights, options.unseen, options.classes
    )


def _checkpoint(options: argparse.Namespace) -> Path:
    return options.checkpoint or options.work / "checkpoint.pt"


def _train(options: argparse.Namespace) -> int:
    print(f"trained: {commands.train(options.config, _folders(options), options.device, options.resume)}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    report = commands.evaluate(
        options.config, _folders(options), options.device, _checkpoint(options), options.output, options.bundle
    )
    print(report.read_text(encoding="utf-8"))
    return 0


def _splits(options: argparse.Namespace) -> int:
    report = commands.evaluate_splits(options.config, _folders(options), options.device, options.output)
    print(report.read_text(encoding="utf-8"))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    found = commands.calibrate(options.config, _folders(options), options.device, _checkpoint(options))
    print(
        f"score = sigmoid({found.decoder_weight:.3f} (logit + {found.prior_share:.3f} prior) "
        f"+ {found.cosine_weight:.3f} z + {found.bias:.3f}); "
        f"threshold {found.threshold}, {len(found.thresholds)} labels with one of their own; "
        f"withheld: {', '.join(found.withheld) or 'none'}"
    )
    return 0


def _teach(options: argparse.Namespace) -> int:
    taught = commands.teach(options.config, _folders(options), options.device, options.bundle, options.output)
    print(f"{len(taught.words)} words, ridge penalty {taught.penalty}:")
    for word in taught.words:
        print(f"{word}: threshold {taught.thresholds[word]}")
    return 0


def _time(options: argparse.Namespace) -> int:
    found = bundle_timing.time_bundle(options.bundle, options.labels)
    print(f"image encoder: {found.encoder:.1f} ms an image")
    for count, milliseconds in found.decoder.items():
        print(f"decoder, {count} labels: {milliseconds:.1f} ms an image")
    return 0


def _export(options: argparse.Namespace) -> int:
    training = {name: getattr(options, name) for name in ("config", "data", "text", "work")}
    if options.clip is not None:
        given = [f"--{name}" for name, value in training.items() if value is not None]
        if given:
            raise ValueError(f"export --clip takes no {', '.join(given)}: they belong to models trained here")
        return clip_command.run(options)
    missing = [f"--{name}" for name, value in training.items() if value is None]
    if missing:
        raise ValueError(f"export needs {', '.join(missing)}, or --clip for a checkpoint of another library")
    report = commands.export(options.config, _folders(options), options.device, _checkpoint(options), options.output)
    print(f"exported to {options.output}: {report}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
