"""Parametrisations of a picture: modules without inputs whose value is the picture and whose weights are optimised."""

import torch
from torch import Tensor, nn

# The correlation of colours in photographs, as a root of their covariance (lucid, Olah et al. 2017,
# https://distill.pub/2017/feature-visualization): it mixes three independent channels into red, green, blue.
COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
MIX = COLOURS / COLOURS.norm(dim=0).max()

Size = int | tuple[int, int]


def _sides(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def frequencies(height: int, width: int) -> Tensor:
    """(H, W // 2 + 1) the frequencies of a real Fourier transform, in cycles per pixel; 0 counts as 1 / side."""
    down = torch.fft.fftfreq(height)[:, None]
    across = torch.fft.rfftfreq(width)[None]
    return (down**2 + across**2).sqrt().clamp(min=1 / max(height, width))


class Pixels(nn.Module):
    """The pixels themselves, from a start (N, C, H, W); their values are kept in [0, 1] unless they are ``free``."""

    def __init__(self, start: Tensor, *, free: bool = False) -> None:
        super().__init__()
        self.values = nn.Parameter(start.detach().clone())
        self.free = free

    def forward(self) -> Tensor:
        """(N, C, H, W)."""
        # The gradient is that of the identity: the clamp's own would hold a pixel that has gone too far there for good.
        return self.values if self.free else self.values + (self.values.clamp(0, 1) - self.values).detach()


class Fourier(nn.Module):
    """The sigmoid of a spectrum whose frequencies are weighted by 1 / f^decay, with decorrelated colours.

    Coarse structure is then as easy to change as fine detail, and colours go together as they do in photographs; with
    pixels, optimisation prefers noise. A decay of 1 leaves noise, one of 1.5 washes out. The start, drawn with a seed,
    is nearly grey. Colours weigh ``vividness`` times what they do in photographs. The size is the side, or the height
    and the width.
    """

    def __init__(
        self,
        size: Size,
        *,
        count: int = 1,
        decay: float = 1.25,
        vividness: float = 1,
        channels: int = 3,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.sides = height, width = _sides(size)
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randn(count, channels, height, width // 2 + 1, 2, generator=generator) * 0.01
        self.spectrum = nn.Parameter(drawn)
        self.register_buffer("scale", frequencies(height, width) ** -decay / 4, persistent=False)
        mix = MIX * torch.tensor([1, vividness, vividness]) if channels == 3 else torch.eye(channels)
        self.register_buffer("mix", mix, persistent=False)

    def forward(self) -> Tensor:
        """(N, C, H, W) in (0, 1)."""
        scaled = torch.view_as_complex(self.spectrum) * self.scale
        independent = torch.fft.irfft2(scaled, s=self.sides, norm="ortho")
        return torch.einsum("ij,njhw->nihw", self.mix, independent).sigmoid()


class Maco(nn.Module):
    """A spectrum of fixed magnitudes, whose phases are optimised (Fel et al. 2023, https://arxiv.org/abs/2306.06805).

    The magnitudes (C, H, W // 2 + 1) are those of a photograph, as ``spectrum_from`` computes them, or by default
    1 / f^1.5; so no frequency can become noise. The phases at the start are drawn with a seed. The size is the side, or
    the height and the width.
    """

    def __init__(
        self, size: Size, *, count: int = 1, spectrum: Tensor | None = None, channels: int = 3, seed: int = 0
    ) -> None:
        super().__init__()
        self.sides = height, width = _sides(size)
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.rand(count, channels, height, width // 2 + 1, generator=generator)
        self.phases = nn.Parameter((drawn * 2 - 1) * torch.pi)
        weights = torch.tensor([1, 0.5, 0.35] if channels == 3 else [1.0] * channels)[:, None, None]
        if spectrum is None:
            spectrum = weights * frequencies(height, width) ** -1.5
            spectrum[:, 0, 0] = 0  # the mean is grey
        self.register_buffer("magnitude", spectrum, persistent=False)
        self.register_buffer("mix", MIX if channels == 3 else torch.eye(channels), persistent=False)

    def forward(self) -> Tensor:
        """(N, C, H, W) in (0, 1)."""
        spectrum = torch.polar(self.magnitude.expand_as(self.phases), self.phases)
        independent = torch.fft.irfft2(spectrum, s=self.sides, norm="ortho")
        deviation = independent.std((2, 3), keepdim=True).mean(1, keepdim=True)
        return torch.einsum("ij,njhw->nihw", self.mix, independent / deviation).sigmoid()


def spectrum_from(images: Tensor) -> Tensor:
    """(3, H, W // 2 + 1) the mean magnitudes of photographs (N, 3, H, W) in [0, 1], in independent colours."""
    independent = torch.einsum("ij,njhw->nihw", torch.linalg.inv(MIX), torch.logit(images, eps=1e-3))
    spectrum = torch.fft.rfft2(independent, norm="ortho").abs().mean(0)
    spectrum[:, 0, 0] = 0
    return spectrum
