"""Results on the levels of an 8-bit file."""

import torch
from torch import nn

from attacks.core.quantize import quantize_fooling


def test_levels_are_reached_by_the_smallest_scale():
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 2)).double().requires_grad_(False)
    model[1].weight.copy_(torch.tensor([[0.0], [1.0]]))
    model[1].bias.copy_(torch.tensor([0.0, -103.4 / 255]))
    images, labels = torch.tensor([[100.0], [100.0]]).double() / 255, torch.tensor([0, 0])
    nearly = images + torch.tensor([[3.45], [0.0]]) / 255  # rounds to 103, which does not fool
    found = quantize_fooling(model, images, nearly, labels)
    assert (found * 255).round().flatten().tolist() == [104, 100]
    assert torch.equal(quantize_fooling(model, images, images - 0.1, labels), images)  # no scale of this fools
    model[1].bias[1] = -116.4 / 255
    near = quantize_fooling(model, images, images + 10.4 / 255, labels)
    assert (near * 255).round().flatten().tolist() == [117, 117]
