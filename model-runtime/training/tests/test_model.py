# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from clip_decoder.model.clip_decoder import ClipDecoder
from clip_decoder.model.dropout import ByteDropout
from clip_decoder.model.efficientnet_lite import EfficientNetLite, load_published_weights, same_padding
from clip_decoder.model.matrix_top import MatrixTop
from clip_decoder.model.ml_decoder import MLDecoder, MLDecoderConfig


def numpy_decoder(state, tokens, labels, heads):
    """The head's equations, image by image and head by head."""

    def linear(x, name):
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * state[f"{name}.weight"] + state[
            f"{name}.bias"
        ]

    q0 = np.maximum(linear(labels, "query"), 0)
    q = norm(q0 + q0, "query_norm")
    logits = []
    for image in tokens:
        query, key, value = linear(q, "attention_query"), linear(image, "attention_key"), linear(image, "attention_value")
        width = query.shape[1] // heads
        parts = []
        for head in range(heads):
            columns = slice(head * width, (head + 1) * width)
            energy = query[:, columns] @ key[:, columns].T / np.sqrt(width)
            weights = np.exp(energy - energy.max(1, keepdims=True))
            parts.append(weights / weights.sum(1, keepdims=True) @ value[:, columns])
        a = norm(q + linear(np.concatenate(parts, 1), "attention_output"), "attention_norm")
        h = norm(a + linear(np.maximum(linear(a, "hidden"), 0), "output"), "output_norm")
        logits.append(linear(h, "logit")[:, 0])
    return np.stack(logits)


def test_decoder_should_compute_ml_decoders_equations():
    torch.manual_seed(1)
    decoder = MLDecoder(MLDecoderConfig(24, 4, 48), 16).eval()
    tokens, labels = torch.randn(3, 5, 24), torch.randn(7, 16)
    state = {name: value.numpy() for name, value in decoder.state_dict().items()}
    expected = numpy_decoder(state, tokens.numpy(), labels.numpy(), 4)
    with torch.no_grad():
        assert np.abs(decoder(tokens, labels).numpy() - expected).max() < 1e-4


def test_decoder_logit_should_depend_on_its_own_image_and_label_alone():
    torch.manual_seed(2)
    decoder = MLDecoder(MLDecoderConfig(16, 4, 32), 8).eval()
    tokens, labels = torch.randn(3, 4, 16), torch.randn(5, 8)
    with torch.no_grad():
        assert torch.allclose(decoder(tokens, labels)[1:2, 3:4], decoder(tokens[1:2], labels[3:4]), atol=1e-5)


def test_decoder_should_answer_each_image_about_its_own_labels():
    torch.manual_seed(2)
    decoder = MLDecoder(MLDecoderConfig(16, 4, 32), 8).eval()
    tokens, labels = torch.randn(3, 4, 16), torch.randn(5, 8)
    chosen = torch.tensor([[4, 0], [1, 1], [2, 3]])
    with torch.no_grad():
        expected = decoder(tokens, labels).gather(1, chosen)
        assert torch.allclose(decoder(tokens, labels, chosen), expected, atol=1e-5)


def test_decoder_should_refuse_a_width_its_heads_do_not_divide():
    with pytest.raises(ValueError, match="30 is not a multiple of its 8 heads"):
        MLDecoderConfig(width=30)


@pytest.mark.parametrize("probability,dropped", [(0.1, 26 / 256), (0.5, 0.5), (0.999, 255 / 256)])
def test_dropout_should_drop_its_share_and_keep_the_mean(probability, dropped):
    torch.manual_seed(5)
    ones = torch.ones(8, 125_001, requires_grad=True)
    found = ByteDropout(probability).train()(ones)
    assert (found == 0).float().mean().item() == pytest.approx(dropped, abs=0.005)
    assert found[found > 0].unique().tolist() == pytest.approx([1 / (1 - dropped)])
    found.sum().backward()
    assert torch.equal(ones.grad, found.detach())


def test_dropout_should_change_nothing_when_it_is_off():
    x = torch.randn(3, 5)
    assert ByteDropout(0.5).eval()(x) is x
    assert ByteDropout(0.0).train()(x) is x
    with pytest.raises(ValueError, match=r"in \[0, 1\), got 1.0"):
        ByteDropout(1.0)


@pytest.mark.parametrize("size,kernel,stride,expected", [(224, 3, 2, (0, 1)), (7, 5, 1, (2, 2)), (14, 5, 2, (1, 2))])
def test_same_padding_should_be_tensorflows(size, kernel, stride, expected):
    assert same_padding(size, kernel, stride) == expected


@pytest.mark.parametrize("stage", [5, 6, 7])
def test_matrix_top_should_equal_the_convolutions_and_their_gradients(stage):
    torch.manual_seed(3)
    backbone = EfficientNetLite("efficientnet-lite0", 64).eval()
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    with torch.no_grad():
        trunk = backbone.trunk(torch.rand(2, 3, 64, 64) * 255, stage)
    matrix_top = MatrixTop(backbone, stage, trunk.shape[-1])
    gradients = []
    for top in (lambda x: backbone.top(x, stage), matrix_top):
        backbone.zero_grad()
        features = top(trunk)
        (features**2).sum().backward()
        gradients.append((features.detach(), [p.grad.clone() for p in backbone.top_parameters(stage)]))
    assert torch.allclose(gradients[0][0], gradients[1][0], atol=1e-4)
    for convolution, matrix in zip(gradients[0][1], gradients[1][1], strict=True):
        assert torch.allclose(convolution, matrix, rtol=1e-2, atol=1e-3)


def test_loading_weights_should_name_what_does_not_fit():
    backbone = EfficientNetLite("efficientnet-lite0", 64)
    state = dict(backbone.state_dict())
    state.pop("classifier.bias")
    with pytest.raises(ValueError, match="missing.*classifier.bias"):
        load_published_weights(backbone, state)
    with pytest.raises(ValueError, match="checkpoint has shape"):
        load_published_weights(backbone, {**backbone.state_dict(), "classifier.bias": torch.zeros(7)})


def test_backbone_should_name_unknown_variants_and_sizes():
    with pytest.raises(ValueError, match="unknown backbone 'resnet'"):
        EfficientNetLite("resnet", 224)
    with pytest.raises(ValueError, match="multiple of 32"):
        EfficientNetLite("efficientnet-lite0", 100)


def test_untrained_model_should_be_the_class_name_baseline():
    torch.manual_seed(4)
    backbone = EfficientNetLite("efficientnet-lite0", 64).eval()
    class_texts = torch.nn.functional.normalize(torch.randn(1000, 16), dim=1)
    model = ClipDecoder(backbone, class_texts, MLDecoderConfig(16, 4, 32)).eval()
    pixels = torch.rand(2, 3, 64, 64) * 255
    with torch.no_grad():
        tokens, embedding = model.encode(pixels)
        named = torch.softmax(backbone.classify(backbone(pixels)), 1) @ class_texts
    assert tokens.shape == (2, 5, 16)
    assert torch.allclose(embedding, torch.nn.functional.normalize(named, dim=1), atol=1e-5)
