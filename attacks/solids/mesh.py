"""Solids as triangles with texture coordinates: a sphere, a cube, or one read from a Wavefront file."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import AttackError


@dataclass(frozen=True)
class Mesh:
    """Triangles; the solid fits into the unit sphere around the origin."""

    points: Tensor  # (F, 3, 3) the corners of each triangle: x, y and z
    places: Tensor  # (F, 3, 2) where they lie on the texture, in [0, 1]: from the left, and from the bottom
    normals: Tensor  # (F, 3, 3) of length 1, outwards
    wound: bool = False  # whether the texture's left edge meets its right one, all along


def sphere(rows: int = 16) -> Mesh:
    """The unit sphere, on which the texture is wound once, from pole to pole."""
    down, around = torch.meshgrid(torch.linspace(0, 1, rows + 1), torch.linspace(0, 1, 2 * rows + 1), indexing="ij")
    height, angle = math.pi * down, 2 * math.pi * around
    points = torch.stack([height.sin() * angle.cos(), height.cos(), height.sin() * angle.sin()], -1)
    corners = _triangles(points)
    return Mesh(corners, _triangles(torch.stack([around, 1 - down], -1)), corners, wound=True)


def cube() -> Mesh:
    """A cube, whose six faces are the six cells, three by two, of the texture."""
    side, square = 1 / math.sqrt(3), torch.tensor([[[-1.0, 1], [1, 1]], [[-1, -1], [1, -1]]])
    points, places, normals = [], [], []
    for face in range(6):
        axis, sign = face % 3, 1.0 if face < 3 else -1.0
        corner = torch.cat([torch.full((2, 2, 1), sign), square], -1).roll(axis, -1) * side
        points.append(_triangles(corner))
        cell = torch.tensor([axis, float(face < 3)])
        places.append(_triangles(((square + 1) / 2 + cell) / torch.tensor([3.0, 2.0])))
        normals.append(torch.eye(3)[axis].mul(sign).expand(2, 3, 3))
    return Mesh(torch.cat(points), torch.cat(places), torch.cat(normals))


def read_obj(path: str | os.PathLike) -> Mesh:
    """The solid of an .obj file, moved and scaled into the unit sphere; its materials are not looked at.

    Raises:
        AttackError: it cannot be read, is no such file, or says not where its corners lie on a texture.
    """
    points, places, corners = [], [], []
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                kind, *words = line.split() or [""]
                if kind == "v":
                    x, y, z = map(float, words[:3])
                    points.append([x, y, z])
                elif kind == "vt":
                    places.append([float(word) for word in words[:2]])
                elif kind == "f":
                    polygon = [_corner(word, len(points), len(places)) for word in words]
                    corners += [(polygon[0], *polygon[i : i + 2]) for i in range(1, len(polygon) - 1)]
        numbers = torch.tensor(corners)  # (F, 3, 2)
        laid, at = torch.tensor(points)[numbers[..., 0]], torch.tensor(places)[numbers[..., 1]]
    except OSError as error:
        raise AttackError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, IndexError, TypeError, RuntimeError) as error:
        why = str(error) if isinstance(error, _NoTexture) else "it is no .obj file with v, vt and f lines"
        raise AttackError(f"{path} cannot be drawn: {why}") from error
    low, high = laid.flatten(0, 1).amin(0), laid.flatten(0, 1).amax(0)
    laid = laid - (low + high) / 2
    laid = laid / laid.norm(dim=-1).max().clamp(min=1e-12)
    flat = torch.linalg.cross(laid[:, 1] - laid[:, 0], laid[:, 2] - laid[:, 0])
    flat = flat / flat.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    at = torch.where((at < 0) | (at > 1), at % 1, at)  # a texture repeats
    return Mesh(laid, at, flat[:, None].expand(-1, 3, -1))


class _NoTexture(ValueError):
    pass


def _corner(word: str, points: int, places: int) -> tuple[int, int]:
    """The numbers, from 0, of a corner's point and its place on the texture."""
    parts = word.split("/")
    if len(parts) < 2 or not parts[1]:
        raise _NoTexture("its faces have no places on a texture (vt); unwrap it first")
    found = []
    for part, count in zip(parts[:2], (points, places), strict=True):
        number = int(part)
        number = number - 1 if number > 0 else count + number
        if not 0 <= number < count:
            raise IndexError(number)
        found.append(number)
    return found[0], found[1]


def _triangles(grid: Tensor) -> Tensor:
    """The values (F, 3, k) at the corners of two triangles for each cell of a grid (rows, columns, k)."""
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    return torch.cat([torch.stack([a, b, c], 2), torch.stack([b, d, c], 2)], 2).reshape(-1, 3, grid.shape[-1])


SOLIDS: dict[str, Callable[[], Mesh]] = {"sphere": sphere, "cube": cube}


def solid_named(name: str) -> Mesh:
    """The solid of a name, or of an .obj file."""
    if name in SOLIDS:
        return SOLIDS[name]()
    if not str(name).lower().endswith(".obj"):
        raise AttackError(f"no solid {name!r}; there are {', '.join(SOLIDS)}, and .obj files")
    return read_obj(name)
