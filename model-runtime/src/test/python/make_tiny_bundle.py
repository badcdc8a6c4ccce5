"""Writes the tests' bundle: a few hundred random weights that distinguish colours and their places.

It learns nothing and knows nothing; what matters is that different images and different texts get different numbers,
always the same ones. Run it from anywhere: `python make_tiny_bundle.py`; needs onnx, onnxruntime and numpy.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime reads it when it is imported
import onnxruntime

TARGET = Path(__file__).parent.parent / "resources/io/tagstream/bundles/tiny"
SIZE = 32  # pixels a side
CELLS = 4  # tokens a side
TOKENS = CELLS * CELLS
TOKEN_WIDTH = 8
EMBEDDING = 16
REFERENCES = 64
TEMPLATES = ["a photo of a {}.", "{}"]
SELF_TEST_LABELS = ["red apple", "blue sea", "dog"]
SCORING = {
    "decoderWeight": 1.0,
    "cosineWeight": 0.5,
    "bias": -0.5,
    "defaultThreshold": 0.5,
    "topK": 8,
    "candidateCutoff": 1.0,
}
WORDS = ["a", "photo", "of", "the", ".", "red", "green", "blue", "yellow", "black", "white", "grey", "apple", "sea", "dog", "cat", "car", "tree", "house", "bird", "bridge", "boat", "flower", "street", "person", "child", "woman", "man", "bicycle", "bus", "train", "horse", "cow", "sheep", "mountain", "beach", "snow", "forest", "river", "lake", "city", "night", "day", "sun", "moon", "cloud", "sky", "food", "bread", "cake", "cup", "bottle", "chair", "table", "bed", "book", "clock", "phone", "lamp"]


def model(nodes, name, inputs, outputs, weights):
    graph = helper.make_graph(
        nodes, name, inputs, outputs, [numpy_helper.from_array(value, key) for key, value in weights.items()]
    )
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(result, full_check=True)
    return result.SerializeToString(deterministic=True)


def image_encoder(random):
    """Cells' mean colours, centred; projected one by one to tokens, all together to the embedding."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Cast", ["pixels"], ["raw"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["raw", "scale"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "half"], ["centred"]),
        helper.make_node("Transpose", ["centred"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["planes"], ["cells"], kernel_shape=[SIZE // CELLS] * 2, strides=[SIZE // CELLS] * 2
        ),
        helper.make_node("Transpose", ["cells"], ["cells_last"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["cells_last", "token_shape"], ["colours"]),
        helper.make_node("MatMul", ["colours", "token_weights"], ["tokens"]),
        helper.make_node("Reshape", ["cells_last", "flat_shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "embedding_weights"], ["projected"]),
        helper.make_node("Add", ["projected", "embedding_bias"], ["shifted"]),
        helper.make_node("LpNormalization", ["shifted"], ["embedding"], axis=1, p=2),
    ]
    weights = {
        "scale": np.float32(1 / 255),
        "half": np.float32(0.5),
        "token_shape": np.array([0, TOKENS, 3], np.int64),
        "flat_shape": np.array([0, TOKENS * 3], np.int64),
        "token_weights": random.standard_normal((3, TOKEN_WIDTH)).astype(np.float32),
        "embedding_weights": random.standard_normal((TOKENS * 3, EMBEDDING)).astype(np.float32),
        "embedding_bias": random.standard_normal(EMBEDDING).astype(np.float32) * np.float32(0.1),
    }
    return model(
        nodes,
        "image_encoder",
        [value("pixels", TensorProto.UINT8, ["B", SIZE, SIZE, 3])],
        [
            value("tokens", TensorProto.FLOAT, ["B", TOKENS, TOKEN_WIDTH]),
            value("embedding", TensorProto.FLOAT, ["B", EMBEDDING]),
        ],
        weights,
    )


def text_encoder(random, vocabulary):
    """One vector for each word; the runtime's pooling does the rest."""
    value = helper.make_tensor_value_info
    return model(
        [
            helper.make_node("Gather", ["words", "input_ids"], ["word_states"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["mask_column"]),
            helper.make_node("Mul", ["word_states", "mask_column"], ["states"]),
        ],
        "text_encoder",
        [
            value("input_ids", TensorProto.INT64, ["L", "S"]),
            value("attention_mask", TensorProto.INT64, ["L", "S"]),
        ],
        [value("states", TensorProto.FLOAT, ["L", "S", EMBEDDING])],
        {
            "words": random.standard_normal((len(vocabulary), EMBEDDING)).astype(np.float32),
            "last": np.array([2], np.int64),
        },
    )


def decoder(random):
    """A label's logit is its best match among the tokens."""
    value = helper.make_tensor_value_info
    return model(
        [
            helper.make_node("MatMul", ["labels", "query_weights"], ["queries"]),
            helper.make_node("Transpose", ["queries"], ["query_columns"], perm=[1, 0]),
            helper.make_node("MatMul", ["tokens", "query_columns"], ["matches"]),
            helper.make_node("ReduceMax", ["matches"], ["logits"], axes=[1], keepdims=0),
        ],
        "decoder",
        [
            value("tokens", TensorProto.FLOAT, ["B", TOKENS, TOKEN_WIDTH]),
            value("labels", TensorProto.FLOAT, ["L", EMBEDDING]),
        ],
        [value("logits", TensorProto.FLOAT, ["B", "L"])],
        {"query_weights": random.standard_normal((EMBEDDING, TOKEN_WIDTH)).astype(np.float32) * np.float32(0.5)},
    )


def tokenizer(vocabulary):
    return {
        "version": "1.0",
        # as in real tokenizers: the runtime must switch both off
        "truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "padding": {
            "strategy": {"Fixed": 24},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [
            {
                "id": vocabulary[token],
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
        ],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {
            "type": "BertProcessing",
            "sep": ["[SEP]", vocabulary["[SEP]"]],
            "cls": ["[CLS]", vocabulary["[CLS]"]],
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    }


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def label_vector(session, vocabulary, center, name):
    pooled = []
    for template in TEMPLATES:
        words = template.replace("{}", name).lower().replace(".", " .").split()
        ids = [vocabulary["[CLS]"], *(vocabulary.get(word, vocabulary["[UNK]"]) for word in words), vocabulary["[SEP]"]]
        states = session.run(None, {"input_ids": [ids], "attention_mask": [[1] * len(ids)]})[0]
        pooled.append(unit(states[0].mean(axis=0)))
    return unit(unit(np.mean(pooled, axis=0)) - center).astype(np.float32)


def main() -> None:
    random = np.random.default_rng(20261101)
    vocabulary = {word: index for index, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    files = {
        "image_encoder.onnx": image_encoder(random),
        "text_encoder.onnx": text_encoder(random, vocabulary),
        "decoder.onnx": decoder(random),
        "tokenizer.json": json.dumps(tokenizer(vocabulary)).encode(),
    }
    session = {name: onnxruntime.InferenceSession(files[name]) for name in files if name.endswith(".onnx")}
    center = (unit(random.standard_normal(EMBEDDING)) * 0.3).astype("<f4")
    # blocks of colour: in noise, all cells would be the same grey
    blocks = random.integers(0, 256, (REFERENCES, CELLS, CELLS, 3), dtype=np.uint8)
    pixels = blocks.repeat(SIZE // CELLS, axis=1).repeat(SIZE // CELLS, axis=2)
    reference = session["image_encoder.onnx"].run(["embedding"], {"pixels": pixels})[0].astype("<f4")
    self_test = pixels[:2].copy()
    self_test[1] = 255 - self_test[0]
    files["text_center.f32"] = center.tobytes()
    files["reference_embeddings.f32"] = reference.tobytes()
    files["self_test_pixels.u8"] = self_test.tobytes()

    labels = np.stack(
        [label_vector(session["text_encoder.onnx"], vocabulary, center, name) for name in SELF_TEST_LABELS]
    )
    tokens, embedding = session["image_encoder.onnx"].run(["tokens", "embedding"], {"pixels": self_test})
    logits = session["decoder.onnx"].run(None, {"tokens": tokens, "labels": labels})[0]
    cosine = labels.astype(np.float64) @ reference.astype(np.float64).T
    standardised = (embedding @ labels.T - cosine.mean(axis=1)) / cosine.std(axis=1)
    combined = SCORING["decoderWeight"] * logits + SCORING["cosineWeight"] * standardised + SCORING["bias"]
    scores = 1 / (1 + np.exp(-combined))

    def sha256(name):
        return hashlib.sha256(files[name]).hexdigest()

    description = {
        "formatVersion": 1,
        "id": "tiny",
        "version": "1.0.0",
        "generation": 1,
        "license": "Apache-2.0",
        "provenance": "Random weights made by src/test/python/make_tiny_bundle.py.",
        "image": {
            "file": "image_encoder.onnx",
            "sha256": sha256("image_encoder.onnx"),
            "size": SIZE,
            "resize": "SHORTEST_SIDE_CENTER_CROP",
            "tokens": TOKENS,
            "tokenWidth": TOKEN_WIDTH,
            "embeddingSize": EMBEDDING,
        },
        "text": {
            "file": "text_encoder.onnx",
            "sha256": sha256("text_encoder.onnx"),
            "tokenizer": "tokenizer.json",
            "tokenizerSha256": sha256("tokenizer.json"),
            "maxTokens": 16,
            "pooling": "MEAN",
            "templates": TEMPLATES,
            "center": "text_center.f32",
            "centerSha256": sha256("text_center.f32"),
        },
        "decoder": {"file": "decoder.onnx", "sha256": sha256("decoder.onnx")},
        "reference": {
            "file": "reference_embeddings.f32",
            "sha256": sha256("reference_embeddings.f32"),
            "count": REFERENCES,
        },
        "scoring": SCORING,
        "selfTest": {
            "pixels": "self_test_pixels.u8",
            "sha256": sha256("self_test_pixels.u8"),
            "images": len(self_test),
            "labels": SELF_TEST_LABELS,
            "scores": [[round(float(score), 6) for score in row] for row in scores],
            "tolerance": 0.002,
        },
    }
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (TARGET / name).write_bytes(content)
    (TARGET / "bundle.json").write_text(json.dumps(description, indent=2) + "\n")


if __name__ == "__main__":
    main()
