"""Views of a solid: where its texture is seen, which does not depend on the texture, and the picture, linear in it."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .mesh import Mesh

NEAR = 0.1  # of the camera: nothing closer is drawn


@dataclass(frozen=True)
class Pose:
    """How a solid is seen."""

    rotation: Tensor  # (3, 3)
    shift: tuple[float, float]  # of the solid, across and up, in its radii
    distance: float  # of the camera, in radii; its field of view is 40 degrees
    light: Tensor  # (3,) of length 1, towards the light
    ambient: float  # the share of the light that comes from everywhere
    background: Tensor  # (3, u, v) in [0, 1], enlarged to the picture


@dataclass(frozen=True)
class View:
    """A pose on a picture's pixels."""

    places: Tensor  # (h, w, 2) of the texture, in [-1, 1] as grid_sample takes them
    brightness: Tensor  # (h, w) the texture's colours are multiplied with it; 0 beside the solid
    behind: Tensor  # (3, h, w) what is seen beside it
    wound: bool = False  # whether colours are mixed across the texture's left and right edges

    def to(self, device: torch.device) -> "View":
        """The view on another device."""
        return View(self.places.to(device), self.brightness.to(device), self.behind.to(device), self.wound)

    def picture(self, texture: Tensor) -> Tensor:
        """The picture (3, h, w) in [0, 1] with a texture (3, T, U) in [0, 1]; linear in it."""
        texture, places = texture[None], self.places[None]
        if self.wound:
            width = texture.shape[-1]
            texture = F.pad(texture, (1, 1, 0, 0), mode="circular")
            places = places * torch.tensor([width / (width + 2), 1], device=places.device)
        seen = F.grid_sample(texture, places, padding_mode="border", align_corners=False)[0]
        return seen * self.brightness + self.behind


def random_pose(draw: torch.Generator) -> Pose:
    """Any side up and any side in front, near or far, lit from anywhere in front, on blurred colours."""
    chance = torch.rand(8, generator=draw).tolist()
    four = torch.randn(4, generator=draw)
    light = torch.randn(3, generator=draw)
    light[2] = light[2].abs() + 0.3
    return Pose(
        rotation_of(four / four.norm()),
        ((chance[0] - 0.5) * 0.5, (chance[1] - 0.5) * 0.5),
        3.2 + 1.2 * chance[2],
        light / light.norm(),
        0.5 + 0.4 * chance[3],
        torch.rand(3, 1, 1, generator=draw) * 0.6 + torch.rand(3, 4, 4, generator=draw) * 0.4,
    )


def turned(share: float) -> Pose:
    """A pose on a turntable, after a share of a whole turn, seen from a little above, on light grey."""
    angle, above = 2 * math.pi * share, 0.35
    turn = torch.tensor([math.cos(angle / 2), 0, math.sin(angle / 2), 0])
    tilt = torch.tensor([math.cos(above / 2), math.sin(above / 2), 0, 0])
    light = torch.tensor([0.4, 0.6, 0.7])
    rotation = rotation_of(tilt) @ rotation_of(turn)
    return Pose(rotation, (0.0, 0.0), 3.4, light / light.norm(), 0.7, torch.full((3, 1, 1), 0.85))


def rotation_of(four: Tensor) -> Tensor:
    """The rotation (3, 3) of a unit quaternion (4,), whose real part comes first."""
    w, x, y, z = four.tolist()
    return torch.tensor(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def view_of(mesh: Mesh, pose: Pose, size: tuple[int, int]) -> View:
    """A mesh in a pose, in perspective, on a picture of so many rows and columns."""
    points = mesh.points @ pose.rotation.T + torch.tensor([*pose.shift, -pose.distance])
    depths = -points[..., 2]
    zoom = min(size) / 2 / math.tan(math.radians(20))
    across = size[1] / 2 + zoom * points[..., 0] / depths
    down = size[0] / 2 - zoom * points[..., 1] / depths
    covered, faces, shares = rasterised(torch.stack([across, down], -1), depths, size)
    places = (mesh.places[faces] * shares[..., None]).sum(1)
    normals = ((mesh.normals[faces] * shares[..., None]).sum(1)) @ pose.rotation.T
    lit = (normals @ pose.light).clamp(min=0) / normals.norm(dim=1).clamp(min=1e-6)
    count = size[0] * size[1]
    grid, brightness = torch.zeros(count, 2), torch.zeros(count)
    grid[covered] = (2 * places - 1) * torch.tensor([1.0, -1.0])
    brightness[covered] = pose.ambient + (1 - pose.ambient) * lit
    behind = F.interpolate(pose.background[None], size, mode="bilinear", align_corners=False)[0]
    beside = torch.ones(count).index_fill(0, covered, 0).view(size)
    return View(grid.view(*size, 2), brightness.view(size), behind * beside, mesh.wound)


def rasterised(corners: Tensor, depths: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Which pixels see which triangle first.

    Args:
        corners: (F, 3, 2) of triangles, in pixels from the left and from the top.
        depths: (F, 3) before the camera.
        size: rows and columns of the picture.

    Returns:
        The pixels (P,) that see one, counted row by row; the triangles (P,) that they see; and the weights (P, 3) of
        its corners there, in perspective.
    """
    low = corners.amin(1).ceil().long().clamp(min=0) - 1
    high = corners.amax(1).floor().long()
    low = low.clamp(min=0)
    high = torch.minimum(high, torch.tensor([size[1] - 1, size[0] - 1]))
    width, height = (high - low + 1).clamp(min=0).unbind(1)
    counts = torch.where((depths > NEAR).all(1), width * height, 0)
    faces = torch.arange(len(corners)).repeat_interleave(counts)
    within = torch.arange(len(faces)) - (counts.cumsum(0) - counts)[faces]
    columns, rows = low[faces, 0] + within % width[faces], low[faces, 1] + within // width[faces]
    shares = _barycentric(corners[faces], torch.stack([columns, rows], 1) + 0.5)
    inside = (shares >= 0).all(1)
    faces, pixels, shares = faces[inside], (rows * size[1] + columns)[inside], shares[inside]
    near = shares / depths[faces]  # what is linear on the picture is the inverse of the depth
    nearness = near.sum(1)
    best = torch.zeros(size[0] * size[1]).scatter_reduce(0, pixels, nearness, "amax")
    first = (nearness >= best[pixels]).nonzero()[:, 0]
    seen = torch.full((len(best),), -1).scatter(0, pixels[first], first)  # one of those that are equally near
    covered = (seen >= 0).nonzero()[:, 0]
    chosen = seen[covered]
    return covered, faces[chosen], near[chosen] / nearness[chosen, None]


def _barycentric(corners: Tensor, places: Tensor) -> Tensor:
    """The weights (n, 3) of the corners (n, 3, 2) of triangles at places (n, 2); negative ones where there is none."""
    a, b, c = corners.unbind(1)
    first, second, here = b - a, c - a, places - a
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    along = (here[:, 0] * second[:, 1] - here[:, 1] * second[:, 0]) / area
    other = (first[:, 0] * here[:, 1] - first[:, 1] * here[:, 0]) / area
    shares = torch.stack([1 - along - other, along, other], 1)
    return torch.where(area[:, None].abs() > 1e-9, shares, -1.0)
