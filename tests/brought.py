"""Small networks of the kinds that people bring, each with something that a tool may not expect."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import VisionTransformer


class Siamese(nn.Module):
    """Compares a picture with a reference that it keeps."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
        self.fc = nn.Linear(16, 3)
        self.register_buffer("reference", torch.rand(1, 3, 16, 16))

    def forward(self, images: Tensor) -> Tensor:
        seen = self.net(images).mean((2, 3))
        known = self.net(self.reference).mean((2, 3)).expand(len(images), -1)
        return self.fc(torch.cat([seen, known], 1))


class Crops(nn.Module):
    """Cuts every picture into four, which run as pictures of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        cut = images.unfold(2, images.shape[2] // 2, images.shape[2] // 2)
        cut = cut.unfold(3, images.shape[3] // 2, images.shape[3] // 2).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
        return self.fc(self.relu(self.conv(cut)).mean((2, 3))).view(len(images), 4, 3).mean(1)


class ChannelsLast(nn.Module):
    """Works on (N, H, W, C) behind its first convolution."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 4, stride=4)
        self.norm = nn.LayerNorm(channels)
        self.head = nn.Linear(channels, 5)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.norm(self.conv(images).permute(0, 2, 3, 1)).mean((1, 2)))


class Functions(nn.Module):
    """Calls its activations as functions, as tutorials do."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8, 5)
        self.inplace = inplace

    def forward(self, images: Tensor) -> Tensor:
        first = F.max_pool2d(F.relu(self.conv1(images), self.inplace), 2)
        return self.fc(F.relu(self.conv2(first), self.inplace).mean((2, 3)))


class Tokens(nn.Module):
    """A transformer of two blocks with class and register tokens; ``first`` puts the sequence before the batch."""

    def __init__(self, others: int = 1, pool: str = "class", first: bool = False) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 12, 4, stride=4)
        self.others = nn.Parameter(torch.rand(1, others, 12))
        block = {"d_model": 12, "nhead": 2, "dim_feedforward": 24, "dropout": 0.0, "batch_first": not first}
        self.enter = nn.Identity()
        self.blocks = nn.ModuleList(nn.TransformerEncoderLayer(**block) for _ in range(2))
        self.norm, self.head = nn.LayerNorm(12), nn.Linear(12, 4)
        self.pool, self.first = pool, first

    def forward(self, images: Tensor) -> Tensor:
        tokens = torch.cat([self.others.expand(len(images), -1, -1), self.patch(images).flatten(2).mT], 1)
        tokens = self.enter(tokens.transpose(0, 1) if self.first else tokens)
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        tokens = tokens.transpose(0, 1) if self.first else tokens
        return self.head(tokens[:, 0] if self.pool == "class" else tokens[:, self.others.shape[1] :].mean(1))


def tiny_vit() -> VisionTransformer:
    """torchvision's vision transformer for 32 x 32 pixels, with 4 x 4 places and a class token."""
    network = VisionTransformer(32, 8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=6)
    nn.init.normal_(network.heads.head.weight)
    return network.eval()


class Detached(nn.Module):
    """A network whose gradient is cut at some place."""

    def __init__(self, how: str = "none") -> None:
        super().__init__()
        self.f = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
        self.fc = nn.Linear(8, 3)
        self.how = how

    def forward(self, images: Tensor) -> Tensor:
        if self.how in ("no_grad", "inference_mode"):
            with getattr(torch, self.how)():
                features = self.f(images)
        elif self.how == "checkpoint":
            features = torch.utils.checkpoint.checkpoint(self.f, images, use_reentrant=True)
        else:
            features = self.f(images)
        pooled = features.mean((2, 3))
        if self.how == "detach":
            pooled = pooled.detach()
        elif self.how == "numpy":
            pooled = torch.from_numpy(pooled.detach().numpy())
        elif self.how == "raw numpy":
            pooled = torch.from_numpy(pooled.numpy())
        logits = self.fc(pooled)
        if self.how == "argmax":
            return F.one_hot(logits.argmax(1), 3).float()
        return logits


class BatchStatistics(nn.Module):
    """Batch normalisation that keeps no running statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8, track_running_stats=False)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.relu(self.bn(self.conv(images))).mean((2, 3)))


class WritesOver(nn.Module):
    """Changes the picture it is given, in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        images -= 0.5
        return self.fc(self.conv(images).relu().mean((2, 3)))
