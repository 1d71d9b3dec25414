"""Small transformers of the kinds that people bring, with random weights that let nothing vanish."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def lively(network: nn.Module) -> nn.Module:
    """The network with weights of a size at which heads, scales and attention differ from what they are at first."""
    generator = torch.Generator().manual_seed(5)
    for name, own in network.named_parameters():
        if own.dim() < 2 and "weight" not in name and "gamma" not in name and "lambda" not in name:
            continue
        noise = torch.randn(own.shape, generator=generator)
        own.data = 1 + 0.3 * noise if own.dim() < 2 else noise * 1.5 / own.shape[-1] ** 0.5
    return network.eval().requires_grad_(False)


def of_timm(kind: str = "VisionTransformer", **options) -> nn.Module:
    """A transformer of timm for 32 x 32 pixels, with 4 x 4 places."""
    import timm.models

    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 3, "num_heads": 2, "num_classes": 6}
    return lively(getattr(timm.models, kind)(**sizes | options))


def of_hugging_face(kind: str, config: str, **options) -> nn.Module:
    """A transformer of Hugging Face for 32 x 32 pixels, with 4 x 4 places."""
    import transformers

    sizes = {"image_size": 32, "patch_size": 8, "num_labels": 6}
    if "depths" not in options:
        sizes |= {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    return lively(getattr(transformers, kind)(getattr(transformers, config)(**sizes | options)))


class Planted(nn.Module):
    """One attention by a class token, which follows red patches: what it looks at, and adds, is known.

    Keys and values are the red of a patch, queries are constant, and the score of class 1 is what the class token gets.
    ``how`` says by which call the attention is computed.
    """

    def __init__(self, how: str = "fused", registers: int = 0, steepness: float = 2.0) -> None:
        super().__init__()
        self.how, self.registers, self.steepness = how, registers, steepness
        self.patch = nn.Conv2d(3, 2, 8, stride=8, bias=False)
        nn.init.zeros_(self.patch.weight)
        nn.init.constant_(self.patch.weight[0, 0], 1 / 64)
        self.read, self.head = nn.LayerNorm(2), nn.Linear(2, 3, bias=False)
        self.read.forward = lambda tokens: tokens
        nn.init.zeros_(self.head.weight)
        nn.init.ones_(self.head.weight[1, :1])
        self.attend = nn.Identity()
        self.mixer = nn.MultiheadAttention(2, 1, batch_first=True) if how == "module" else None
        if self.mixer is not None:
            self._set_mixer(self.mixer)

    def _set_mixer(self, mixer: nn.MultiheadAttention) -> None:
        query, key, value = torch.zeros(2, 2), torch.tensor([[1.0, 0], [0, 0]]), torch.eye(2)
        mixer.in_proj_weight.data = torch.cat([query, key, value])
        mixer.in_proj_bias.data = torch.tensor([self.steepness * 2**0.5, 0, 0, 0, 0, 0])
        mixer.out_proj.weight.data, mixer.out_proj.bias.data = torch.eye(2), torch.zeros(2)

    def forward(self, images: Tensor) -> Tensor:
        places = self.patch(images).flatten(2).mT
        tokens = torch.cat([places.new_zeros(len(images), 1 + self.registers, 2), places], 1)
        tokens = self.read(tokens)
        return self.head(self.attend(self._mixed(tokens))[:, 0])

    def _mixed(self, tokens: Tensor) -> Tensor:
        if self.mixer is not None:
            return self.mixer(tokens, tokens, tokens, need_weights=False)[0]
        key, value = tokens[:, None, :, :1], tokens[:, None]
        query = torch.full_like(key, self.steepness)
        if self.how == "fused":
            return F.scaled_dot_product_attention(query, key, value, scale=1.0)[:, 0]
        return ((query @ key.mT).softmax(-1) @ value)[:, 0]
