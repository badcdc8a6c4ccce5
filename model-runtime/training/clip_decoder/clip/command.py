# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""``export --clip``: its options and what it prints."""

import argparse
import importlib.util
from pathlib import Path

from clip_decoder.errors import ClipError
from clip_decoder.resize_rules import RESIZE_RULES

HEAD_LABELS = ("raw", "unit")
HEAD_PIXELS = ("normalised", "unit")
SCORE_BY = ("class", "patches")


def add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("bring your own CLIP")
    add_checkpoint_options(group)
    group.add_argument(
        "--score-by",
        choices=SCORE_BY,
        default="class",
        help="without a head: score by the class token, or also by patch tokens (needs --reference)",
    )
    group.add_argument("--head", type=Path, help="state dict with a trained ML-Decoder head")
    group.add_argument(
        "--head-labels",
        choices=HEAD_LABELS,
        default="raw",
        help="the head was trained on label vectors as the text tower gives them, or on ones of unit norm",
    )
    group.add_argument(
        "--head-pixels",
        choices=HEAD_PIXELS,
        default="normalised",
        help="the head was trained on pixels as the checkpoint normalises them, or on ones in [0, 1]",
    )
    group.add_argument("--fp16", action="store_true", help="images are encoded and decoded in half precision, for GPUs")
    group.add_argument("--reference", type=Path, help="folder of varied photos to standardise cosines over")
    group.add_argument("--resize", choices=RESIZE_RULES, help="instead of the checkpoint's own rule")
    group.add_argument("--template", action="append", default=[], help="prompt with {}; may be given several times")
    group.add_argument("--id", help="the bundle's id; default: the checkpoint's name")
    group.add_argument("--bundle-version", default="1.0.0", help="the bundle's version")
    group.add_argument("--generation", type=int, default=1, help="grows with every release of the same id")
    group.add_argument("--license", default="that of the checkpoint", help="SPDX id or a sentence")
    group.add_argument("--provenance", help="one sentence on where the model comes from")


def add_checkpoint_options(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--clip", type=Path, help="transformers or open_clip checkpoint: a directory or state dict")
    parser.add_argument("--open-clip-model", help="the architecture of an open_clip state dict, such as RN50")


def check(options: argparse.Namespace) -> None:
    """What can be told from the options and file names alone. Raises ClipError."""
    check_checkpoint(options)
    if options.head is not None and not options.head.is_file():
        raise ClipError(f"no such checkpoint: {options.head}")
    if options.reference is not None and not options.reference.is_dir():
        raise ClipError(f"--reference: no such image folder: {options.reference}")
    for template in options.template:
        if "{}" not in template:
            raise ClipError(f"template {template!r} lacks {{}}, the place of the label's name")
    if options.score_by == "patches" and options.head is not None:
        raise ClipError("--score-by patches is for bundles without a head; leave it or --head out")
    if options.score_by == "patches" and options.reference is None:
        raise ClipError("--score-by patches needs --reference: patches are compared with those of varied photos")
    if options.output.exists() and not options.output.is_dir():
        raise ClipError(f"--output {options.output} is a file; name a directory")


def check_checkpoint(options: argparse.Namespace) -> None:
    if not options.clip.exists():
        raise ClipError(f"no such checkpoint: {options.clip}")
    check_packages("--clip")


def check_packages(what: str) -> None:
    if importlib.util.find_spec("open_clip") is None or importlib.util.find_spec("transformers") is None:
        raise ClipError(f"{what} needs the extra: pip install -e '.[clip]'")


def run(options: argparse.Namespace) -> int:
    check(options)
    try:
        from clip_decoder.clip.export import ClipExport, export_clip
    except ImportError as error:
        raise ClipError(f"export --clip needs the extra: pip install -e '.[clip]' ({error})") from error
    report = export_clip(
        ClipExport(
            options.clip,
            options.output,
            options.open_clip_model,
            options.head,
            options.head_labels,
            options.head_pixels,
            options.fp16,
            options.reference,
            options.resize,
            tuple(options.template),
            options.id,
            options.bundle_version,
            options.generation,
            options.license,
            options.provenance,
            options.score_by,
        )
    )
    scoring = report.scoring
    print(
        f"exported to {options.output}: largest differences from PyTorch {report.graphs.encoder_parity:.1e} (images),"
        f" {report.text_parity:.1e} (texts)"
        + ("" if report.graphs.decoder_parity is None else f", {report.graphs.decoder_parity:.1e} (decoder)")
    )
    print(
        f"score = sigmoid({scoring.decoder_weight:g} logit + {scoring.cosine_weight:g} z + {scoring.bias:g}) over"
        f" {report.reference_count} reference embeddings"
    )
    if report.label_norms is not None:
        print(
            "the head's queries are made for label vectors of unit norm; common labels' own norms are"
            f" {report.label_norms[0]:.2f} to {report.label_norms[1]:.2f} times their mean"
        )
    if options.reference is None:
        print("no --reference photos: cosines are not standardised label by label")
    return 0
