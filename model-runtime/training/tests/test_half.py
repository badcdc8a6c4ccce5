"""Graphs in half precision hand tokens over in it, and compute what PyTorch does."""

import numpy as np
import torch
from torch import nn

from clip_decoder.bundle import graphs

TOLERANCE = 0.01


class Encoder(nn.Module):
    """pixels uint8 [B, 32, 32, 3] -> tokens [B, 16, 16], embedding [B, 12]"""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, 8)
        self.project = nn.Linear(16, 12)

    def forward(self, pixels):
        tokens = self.patches((pixels.float() / 255 - 0.5).permute(0, 3, 1, 2)).flatten(2).transpose(1, 2).relu()
        return tokens, nn.functional.normalize(self.project(tokens.mean(1)), dim=1)


class Decoder(nn.Module):
    """tokens [B, 16, 16], labels [L, 12] -> logits [B, L]"""

    def __init__(self):
        super().__init__()
        self.query = nn.Linear(12, 16)

    def forward(self, tokens, labels):
        return (tokens @ self.query(labels).T).amax(1)


def test_tokens_should_leave_and_enter_in_half_precision(tmp_path):
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    labels = random.normal(size=(5, 12)).astype(np.float32)
    encoder, decoder = Encoder(), Decoder()
    first, second = tmp_path / "encoder.onnx", tmp_path / "decoder.onnx"

    outputs = {name: {0: "B"} for name in ("tokens", "embedding")}
    graphs.export_graph(encoder, {"pixels": torch.from_numpy(pixels[:2])}, outputs, {"pixels": {0: "B"}}, first)
    graphs.halve(first, ["embedding"])
    graphs.check_parity(first, encoder, {"pixels": pixels}, TOLERANCE)
    tokens, embedding = graphs.open_graph(first).run(["tokens", "embedding"], {"pixels": pixels})
    assert (tokens.dtype, embedding.dtype) == (np.float16, np.float32)

    example = {"tokens": torch.from_numpy(tokens[:2]).float(), "labels": torch.from_numpy(labels)}
    free = {"tokens": {0: "B"}, "labels": {0: "L"}}
    graphs.export_graph(decoder, example, {"logits": {0: "B", 1: "L"}}, free, second)
    graphs.halve(second, ["labels", "logits"])
    feed = {"tokens": tokens, "labels": labels}
    graphs.check_parity(second, decoder, feed, TOLERANCE)
    graphs.check_independence(second, feed, "tokens", 0, TOLERANCE)
    assert graphs.open_graph(second).run(["logits"], feed)[0].dtype == np.float32
