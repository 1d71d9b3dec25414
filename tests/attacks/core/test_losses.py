"""Losses: the published ones, in closed form."""

import torch

from attacks.core.labels import likeliest_wrong
from attacks.core.losses import cross_entropy, dlr, margin, targeted_dlr


def test_losses_rise_with_the_published_ones():
    logits, labels = torch.randn(9, 5, dtype=torch.float64), torch.arange(9) % 5
    published = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    assert torch.allclose(torch.nn.functional.softplus(cross_entropy(logits, labels)), published)
    top = logits.sort(1, descending=True).values
    label = logits.gather(1, labels[:, None])[:, 0]
    other = torch.where(label == top[:, 0], top[:, 1], top[:, 0])
    assert torch.allclose(margin(logits, labels), other - label)
    assert torch.allclose(dlr(logits, labels), -(label - other) / (top[:, 0] - top[:, 2]))


def test_the_targeted_ratio_is_the_published_one_and_needs_four_classes():
    logits, labels = torch.randn(9, 6, dtype=torch.float64), torch.arange(9) % 6
    wanted = (labels + 2) % 6
    top = logits.sort(1, descending=True).values
    rows = torch.arange(9)
    published = -(logits[rows, labels] - logits[rows, wanted]) / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2)
    assert torch.allclose(targeted_dlr(logits, labels, wanted), published)
    few = logits[:, :3]
    one, other = labels % 3, (labels + 1) % 3
    assert torch.equal(targeted_dlr(few, one, other), few[rows, other] - few[rows, one])
    assert likeliest_wrong(torch.tensor([[3.0, 9, 1, 5]]), torch.tensor([1]), 9).tolist() == [[3, 0, 2]]
