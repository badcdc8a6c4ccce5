# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""A world in miniature: a text tower, a random backbone and a data folder, all made here."""

import csv
import tarfile
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from clip_decoder import commands, training
from clip_decoder.model.efficientnet_lite import EfficientNetLite
from clip_decoder.pipeline import Folders
from clip_decoder.prepared import open_prepared
from clip_decoder.training import Trainer

# Miniatures gain nothing from threads and lose minutes when others use the cores too. With one thread, sums do not
# depend on the number of cores either.
torch.set_num_threads(1)

WORDS = ["[UNK]", "a", "photo", "of", ".", "red", "green", "blue", "bright", "dark", "square", "something", ",", "size"]
TEXT_SIZE = 16
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 40, 220)}


@pytest.fixture(scope="session", autouse=True)
def single_precision():
    with training.single_precision():
        yield


@pytest.fixture(scope="session")
def text_folder(tmp_path_factory) -> Path:
    """A text tower that looks vectors up: ``text.onnx`` and ``tokenizer.json``."""
    folder = tmp_path_factory.mktemp("text")
    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_padding(length=32)  # as published files do; the encoder must switch it off
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.random.default_rng(0).normal(size=(len(WORDS), TEXT_SIZE)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["states"])],
        "text",
        [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["L", "S"]),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["L", "S"]),
        ],
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["L", "S", TEXT_SIZE])],
        [numpy_helper.from_array(table, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(folder / "text.onnx"))
    return folder


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """Random weights of the smallest backbone, with statistics that keep its activations alive."""
    torch.manual_seed(0)
    backbone = EfficientNetLite("efficientnet-lite0", 64)
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # a plain average over what follows
    colours = torch.rand(32, 3, 4, 4).repeat_interleave(16, 2).repeat_interleave(16, 3)
    with torch.no_grad():
        backbone.train()(colours * 255)
    path = tmp_path_factory.mktemp("weights") / "backbone.pth"
    torch.save(backbone.state_dict(), path)
    return path


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory) -> Path:
    """Squares in three colours, bright or dark, in a tar file; one file that is not an image."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(1)
    rows = []
    with tarfile.open(folder / "images.tar", "w") as archive:
        for number in range(60):
            colour = list(COLOURS)[number % 3]
            bright = number % 2 == 0
            image = np.full((48, 64, 3), 240 if bright else 20, np.uint8)
            top, left = generator.integers(0, 20), generator.integers(0, 30)
            image[top : top + 24, left : left + 24] = COLOURS[colour]
            name = f"{number:03d}.png"
            cv2.imwrite(str(folder / name), image[:, :, ::-1])
            archive.add(folder / name, name)
            (folder / name).unlink()
            split = "test" if number >= 48 else "calibrate" if number >= 36 else "train"
            rows.append((name, f"{colour}|{'bright' if bright else 'dark'}|square", split))
    (folder / "broken.png").write_bytes(b"not a picture")
    rows.append(("broken.png", "red", "train"))
    with open(folder / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "labels", "split"])
        writer.writerows(rows)
    (folder / "classes.txt").write_text("\n".join(WORDS[1 + number % (len(WORDS) - 1)] for number in range(1000)))
    return folder


CONFIG = """
seed = 3
[bundle]
id = "tiny"
version = "0.0.1"
generation = 1
license = "Apache-2.0"
provenance = "made in a test"
[image]
backbone = "efficientnet-lite0"
size = 64
first_trained_stage = 6
[text]
graph = "text.onnx"
tokenizer = "tokenizer.json"
templates = ["a photo of a {}.", "{}"]
training_templates = ["{}"]
[decoder]
width = 32
heads = 4
hidden = 64
[data]
kind = "csv"
views = 2
[training]
steps = 30
labels_per_step = 8
distillation_weight = 0.0
head_rate = 3e-3
images_per_source = { images = 16 }
[training.loss]
negative_focus = 1.0
clip = 0.0
[tagging]
precision = 0.75
"""


@pytest.fixture(scope="session")
def config_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("config") / "tiny.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="session")
def folders(data_folder, text_folder, weights, tmp_path_factory) -> Folders:
    return Folders(
        data_folder, text_folder, tmp_path_factory.mktemp("work"), weights=weights, classes=data_folder / "classes.txt"
    )


@pytest.fixture(scope="session")
def losses(config_file, folders) -> list[float]:
    """Of the miniature's one training; its checkpoint is in the work folder."""
    prepared = open_prepared(config_file, folders, "cpu")
    trainer = Trainer(prepared.config, prepared.model, prepared.data, prepared.device, folders.work)
    return trainer.run(progress=False)


@pytest.fixture(scope="session")
def bundle(config_file, folders, losses, tmp_path_factory) -> Path:
    """The trained miniature, exported. Not to be changed."""
    checkpoint = folders.work / "checkpoint.pt"
    commands.calibrate(config_file, folders, "cpu", checkpoint)
    output = tmp_path_factory.mktemp("bundle")
    commands.export(config_file, folders, "cpu", checkpoint, output)
    return output
