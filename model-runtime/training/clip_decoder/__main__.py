# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m clip_decoder train|calibrate|evaluate|splits|export|teach|reproduce|deviations|time``

Importing PyTorch takes seconds, so nothing here does before the options are checked.
"""

import argparse
import sys
from pathlib import Path

from clip_decoder.bundle.description import read_description
from clip_decoder.clip import command as clip_command
from clip_decoder.deviations import MEASURED
from clip_decoder.errors import DeviceError, ExportError

USAGE_ERROR = 2
FAILURE = 1
WORDNET = Path("/usr/share/wordnet")
# by the name of the option that gives it
TRAINING = ("config", "data", "text", "work")


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
    names = "train|calibrate|evaluate|splits|export|teach|reproduce|deviations|time"
    subparsers = parser.add_subparsers(required=True, metavar=names)

    train = _command(subparsers, "train", "train a model; the checkpoint lands in the work folder", _train)
    train.add_argument("--resume", action="store_true", help="go on from the work folder's checkpoint")

    evaluate = _command(
        subparsers, "evaluate", "measure a trained model beside its baselines, or any bundle on your photos", _evaluate
    )
    evaluate.add_argument("--output", type=Path, help="folder for report.md, results.json and plots")
    evaluate.add_argument("--bundle", type=Path, help="measure this bundle's files, instead of a checkpoint")
    evaluate.add_argument("--images", type=Path, help="with --bundle and --labels: the folder of photos")
    evaluate.add_argument("--labels", type=Path, help="their labels: a file with the columns image,labels")

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
    teach.add_argument(
        "--keep-encoder", action="store_true", help="of a taught bundle: leave its image encoder as it is, byte for byte"
    )

    reproduce = _command(
        subparsers, "reproduce", "from a published data set to its table: train, calibrate, evaluate, export", _reproduce
    )
    reproduce.add_argument("dataset", choices=("nus-wide",), help="the data set and its protocol")
    reproduce.add_argument("--output", type=Path, help="folder for report and bundle; default: in the work folder")

    deviations = subparsers.add_parser(
        "deviations",
        help="measure our recipe's deviations from the paper, in a world in miniature",
        description="Train the paper's recipe and each deviation from it, in a world in miniature that is made on the spot.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    deviations.set_defaults(action=_deviations)
    deviations.add_argument("--output", type=Path, required=True, help="folder for report.md and results.json")
    deviations.add_argument("--seeds", type=int, default=3, help="how often each is trained")
    deviations.add_argument("--steps", type=int, default=500, help="training steps of each")
    names = [one.name for one in MEASURED]
    deviations.add_argument("--only", nargs="+", default=names, choices=names, metavar="NAME", help="these deviations")

    timing = subparsers.add_parser(
        "time", help="time a bundle's graphs on one core", description="How long a bundle's graphs take per image."
    )
    timing.set_defaults(action=_time)
    timing.add_argument("--bundle", type=Path, required=True, help="the bundle directory")
    timing.add_argument("--labels", type=int, nargs="+", default=[100, 400, 4585], help="numbers of labels to decode")
    return parser


def _command(subparsers, name: str, help_text: str, action) -> argparse.ArgumentParser:
    command = subparsers.add_parser(
        name, help=help_text, description=help_text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    command.set_defaults(action=action)
    needed = name not in ("export", "evaluate", "reproduce")  # which may have others in their place
    command.add_argument("--config", type=Path, required=needed, help="a bundle's TOML file")
    command.add_argument(
        "--data", type=Path, required=needed or name == "reproduce", help="the data folder, in the layout of its kind"
    )
    command.add_argument("--text", type=Path, help="folder or jar with the text graph and tokenizer")
    command.add_argument("--work", type=Path, required=needed, help="folder for caches, checkpoint and calibration")
    command.add_argument("--wordnet", type=Path, default=WORDNET, help="WordNet 3.0 dictionary files")
    command.add_argument("--weights", type=Path, help="backbone checkpoint, instead of its PyPI package")
    command.add_argument("--classes", type=Path, help="csv and nus-wide data: the backbone's 1,000 class names")
    command.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    if name in ("train", "calibrate", "evaluate", "splits", "reproduce"):
        clip_command.add_checkpoint_options(command)
    if name not in ("train", "splits", "teach", "reproduce"):
        command.add_argument("--checkpoint", type=Path, help="default: checkpoint.pt in the work folder")
    return command


def _folders(options: argparse.Namespace):
    from clip_decoder.pipeline import Folders

    return Folders(
        options.data,
        options.text,
        options.work,
        options.wordnet,
        options.weights,
        options.classes,
        getattr(options, "clip", None),
        getattr(options, "open_clip_model", None),
    )


def _check(options: argparse.Namespace, needed: tuple[str, ...] = TRAINING, instead: str = "") -> None:
    clip = getattr(options, "clip", None)
    missing = [f"--{name}" for name in needed if getattr(options, name) is None and (clip is None or name != "text")]
    if missing:
        raise ValueError(f"{options.action.__name__.strip('_')} needs {', '.join(missing)}{instead}")
    for name in ("config", "data", "text", "weights", "classes"):
        path = getattr(options, name)
        if path is not None and not path.exists():
            what = "configuration" if name == "config" else f"file or folder for --{name}"
            raise FileNotFoundError(f"no such {what}: {path}")
    if clip is not None:
        clip_command.check_checkpoint(options)
    bundle = getattr(options, "bundle", None)
    if bundle is not None:
        read_description(bundle)


def _checkpoint(options: argparse.Namespace) -> Path:
    path = options.checkpoint or options.work / "checkpoint.pt"
    if not path.is_file():
        raise FileNotFoundError(f"no such checkpoint: {path}; train writes it, or name one with --checkpoint")
    return path


def _train(options: argparse.Namespace) -> int:
    _check(options)
    from clip_decoder import commands

    print(f"trained: {commands.train(options.config, _folders(options), options.device, options.resume)}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    if options.images is not None or options.labels is not None:
        return _evaluate_photos(options)
    _check(options, (*TRAINING, "output"), "; or --bundle, --images and --labels for photos of your own")
    checkpoint = None if options.bundle is not None else _checkpoint(options)
    from clip_decoder import commands

    report = commands.evaluate(
        options.config, _folders(options), options.device, checkpoint, options.output, options.bundle
    )
    print(report.read_text(encoding="utf-8"))
    return 0


def _evaluate_photos(options: argparse.Namespace) -> int:
    _check(options, ("bundle", "images", "labels"))
    for path in (options.images, options.labels):
        if not path.exists():
            raise FileNotFoundError(f"no such file or folder: {path}")
    from clip_decoder.photos import measure_photos

    print(measure_photos(options.bundle, options.images, options.labels, options.text, options.output))
    return 0


def _splits(options: argparse.Namespace) -> int:
    _check(options)
    from clip_decoder import commands

    report = commands.evaluate_splits(options.config, _folders(options), options.device, options.output)
    print(report.read_text(encoding="utf-8"))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    _check(options)
    checkpoint = _checkpoint(options)
    from clip_decoder import commands

    found = commands.calibrate(options.config, _folders(options), options.device, checkpoint)
    print(
        f"score = sigmoid({found.decoder_weight:.3f} (logit + {found.prior_share:.3f} prior) "
        f"+ {found.cosine_weight:.3f} z + {found.bias:.3f}); "
        f"threshold {found.threshold}, {len(found.thresholds)} labels with one of their own; "
        f"withheld: {', '.join(found.withheld) or 'none'}"
    )
    return 0


def _teach(options: argparse.Namespace) -> int:
    _check(options)
    from clip_decoder import commands

    taught = commands.teach(
        options.config, _folders(options), options.bundle, options.output, options.keep_encoder
    )
    print(f"{len(taught.words)} words with heads, ridge penalty {taught.penalty}; new words' logits + {taught.boost:.2f}")
    for word, threshold in sorted(taught.thresholds.items()):
        print(f"{word}: threshold {threshold}{'' if word in taught.words else ', no head'}")
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    configs = Path(__file__).parents[1] / "configs"
    options.config = options.config or configs / ("nus-wide.toml" if options.clip is None else "paper.toml")
    options.work = options.work or Path("work-nus-wide")
    needed = TRAINING if options.clip is not None else (*TRAINING, "classes")
    _check(options, needed, ", or --clip for a CLIP of your own")
    from clip_decoder.reproduce import reproduce

    output = options.output or options.work / "report"
    report = reproduce(options.config, _folders(options), options.device, output)
    print(report.read_text(encoding="utf-8"))
    return 0


def _deviations(options: argparse.Namespace) -> int:
    for name in ("seeds", "steps"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name} must be 1 or more, got {getattr(options, name)}")
    clip_command.check_packages("deviations")
    from clip_decoder.compare import compare

    print(compare(options.output, options.seeds, options.steps, options.only).read_text(encoding="utf-8"))
    return 0


def _time(options: argparse.Namespace) -> int:
    read_description(options.bundle)
    from clip_decoder.bundle import timing as bundle_timing

    found = bundle_timing.time_bundle(options.bundle, options.labels)
    print(f"image encoder: {found.encoder:.1f} ms an image")
    for count, milliseconds in found.decoder.items():
        print(f"decoder, {count} labels: {milliseconds:.1f} ms an image")
    return 0


def _export(options: argparse.Namespace) -> int:
    if options.clip is not None:
        given = [f"--{name}" for name in TRAINING if getattr(options, name) is not None]
        if given:
            raise ValueError(f"export --clip takes no {', '.join(given)}: they belong to models trained here")
        return clip_command.run(options)
    _check(options, TRAINING, ", or --clip for a checkpoint of another library")
    checkpoint = _checkpoint(options)
    from clip_decoder import commands

    report = commands.export(options.config, _folders(options), options.device, checkpoint, options.output)
    print(f"exported to {options.output}: {report}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
