# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles that score by patch tokens: the same numbers as the original libraries', and a score of label and image alone."""

from pathlib import Path

import cv2
import numpy as np
import open_clip
import pytest
import torch
import torch.nn.functional as F
import transformers
from clip_checkpoints import TINY, Checkpoint, described, export, label_vectors, run
from clip_originals import normalised, pictures

from clip_decoder.__main__ import main
from clip_decoder.bundle.scoring import standardised_cosine
from clip_decoder.clip.patches import NO_CUTOFF, SHARPNESS, PatchDecoder
from clip_decoder.data.images import scale

PARITY = 1e-4
KINDS = [kind for kind in TINY if kind != "OpenAI archive"]  # whose tower is open_clip's ViT too
CLIP_PIXELS = (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)


@pytest.fixture(scope="module", params=KINDS)
def checkpoint(request, tmp_path_factory) -> Checkpoint:
    return TINY[request.param](tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number, picture in enumerate(pictures(40, 48)):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def bundle(checkpoint, photos, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("bundle")
    return export(checkpoint, output, "--score-by", "patches", "--reference", str(photos))


def squares(photos: Path, size: int) -> np.ndarray:
    return np.stack([scale(cv2.imread(str(path))[:, :, ::-1], size, size) for path in sorted(photos.iterdir())])


def alone(count: int) -> torch.Tensor:
    """An attention mask under which every place attends to itself."""
    return torch.full((count, count), float("-inf")).fill_diagonal_(0)


def librarys_patches(path: Path, pixels: np.ndarray) -> torch.Tensor:
    """Patch embeddings by the library's own modules, whose last attention is masked: [B, P, D]"""
    if (path / "open_clip_config.json").is_file():
        visual = open_clip.create_model(f"local-dir:{path}").eval().visual
        given = normalised(pixels, *CLIP_PIXELS)
        if hasattr(visual, "attnpool"):
            features = visual.layer4(visual.layer3(visual.layer2(visual.layer1(visual.stem(given)))))
            pool = visual.attnpool
            return pool.c_proj(pool.v_proj(features.flatten(2).transpose(1, 2)))
        *blocks, last = visual.transformer.resblocks
        states = visual._embeds(given)
        for block in blocks:
            states = block(states)
        states = last(states, attn_mask=alone(states.shape[1]))
        return visual.ln_post(states)[:, 1:] @ visual.proj
    model = transformers.AutoModel.from_pretrained(path, attn_implementation="eager").eval()
    vision = model.vision_model
    if model.config.model_type == "siglip":
        states = vision(pixel_values=normalised(pixels, (0.5,) * 3, (0.5,) * 3)).last_hidden_state
        return torch.stack([vision.head(states[:, place : place + 1]) for place in range(states.shape[1])], 1)
    *layers, last = vision.encoder.layers
    states = vision.pre_layrnorm(vision.embeddings(normalised(pixels, *CLIP_PIXELS)))
    for layer in layers:
        states = layer(states, attention_mask=None)
    states = last(states, attention_mask=alone(states.shape[1]))
    return model.visual_projection(vision.post_layernorm(states))[:, 1:]


def test_tokens_should_be_the_librarys_patch_embeddings(checkpoint, bundle):
    pixels = pictures(3, checkpoint.original.size)
    with torch.no_grad():
        expected = F.normalize(librarys_patches(checkpoint.path, pixels), dim=-1).numpy()
    tokens, embedding = run(bundle, "image_encoder", pixels=pixels)
    about = described(bundle)["image"]
    assert tokens.shape == expected.shape == (3, about["tokens"], about["embeddingSize"])
    assert np.abs(tokens - expected).max() < PARITY
    assert np.abs(embedding - checkpoint.original.images(pixels)).max() < PARITY
    assert np.abs(tokens[:, 0] - tokens[:, 1]).max() > 100 * PARITY  # places differ


def test_logits_should_be_a_smooth_maximum_over_patches_beside_the_photos(checkpoint, bundle, photos):
    """By the formula, with the statistics taken label by label instead of from the patches' covariance."""
    size = checkpoint.original.size
    reference = squares(photos, size)
    labels = label_vectors(bundle)
    background = run(bundle, "image_encoder", pixels=reference)[0].reshape(-1, labels.shape[1]) @ labels.T
    tokens, _ = run(bundle, "image_encoder", pixels=pictures(3, size))
    z = (tokens @ labels.T - background.mean(0)) / background.std(0)
    expected = np.log(np.exp(SHARPNESS * z).mean(1)) / SHARPNESS
    assert np.abs(run(bundle, "decoder", tokens=tokens, labels=labels)[0] - expected).max() < 2e-3


def test_a_score_should_depend_on_its_image_and_label_alone(checkpoint, bundle):
    tokens, _ = run(bundle, "image_encoder", pixels=pictures(4, checkpoint.original.size))
    labels = label_vectors(bundle)
    together = run(bundle, "decoder", tokens=tokens, labels=labels)[0]
    for image in range(len(tokens)):
        for label in range(len(labels)):
            single = run(bundle, "decoder", tokens=tokens[image : image + 1], labels=labels[label : label + 1])[0]
            assert abs(single[0, 0] - together[image, label]) < 1e-5
    assert described(bundle)["scoring"]["candidateCutoff"] == NO_CUTOFF  # nor does a candidate depend on others


def test_both_kinds_of_evidence_should_count_and_unrelated_photos_should_stay_below_the_threshold(bundle, photos):
    scoring = described(bundle)["scoring"]
    assert scoring["decoderWeight"] > 0 and scoring["cosineWeight"] > 0
    size = described(bundle)["image"]["size"]
    pixels = squares(photos, size)
    tokens, embedding = run(bundle, "image_encoder", pixels=pixels)
    labels = label_vectors(bundle)
    z = standardised_cosine(embedding, labels, embedding)
    logits = run(bundle, "decoder", tokens=tokens, labels=labels)[0]
    odds = scoring["decoderWeight"] * logits + scoring["cosineWeight"] * z + scoring["bias"]
    assert (odds > 0).mean() < 0.1


def test_a_label_that_fits_one_patch_should_beat_one_that_fits_none():
    labels = torch.eye(8)[:2]
    mean, root = np.zeros(8), np.eye(8) * 8**-0.5
    tokens = torch.eye(8)[2:].repeat(2, 3, 1)  # [2, 18, 8], none of them fits a label
    tokens[0, 7] = labels[0]
    logits = PatchDecoder(mean, root)(tokens, labels)
    assert logits[0, 0] > logits[0, 1] + 0.5
    assert torch.equal(logits[0, 1], logits[1, 1])


@pytest.mark.parametrize(
    "options,message",
    [
        ([], "--score-by patches needs --reference"),
        (["--reference", "PHOTOS", "--head", "HEAD"], "--score-by patches is for bundles without a head"),
    ],
)
def test_options_that_do_not_go_together_should_be_named(options, message, photos, tmp_path, capsys):
    (tmp_path / "head.pt").write_bytes(b"")
    options = [{"PHOTOS": str(photos), "HEAD": str(tmp_path / "head.pt")}.get(one, one) for one in options]
    arguments = ["--clip", str(tmp_path), "--output", str(tmp_path / "bundle"), "--score-by", "patches", *options]
    assert main(["export", *arguments]) == 2
    assert message in capsys.readouterr().err
