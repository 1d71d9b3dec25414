"""Solids, their views, and the texture with which they are seen as a target."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from attacks import AttackError, seen_from_sides, solid_named, train_texture
from attacks.solids.mesh import Mesh, cube, sphere
from attacks.solids.views import Pose, random_pose, rasterised, rotation_of, turned, view_of

SIZE = (40, 48)
STILL = Pose(torch.eye(3), (0.0, 0.0), 3.0, torch.tensor([0.0, 0, 1]), 1.0, torch.full((3, 1, 1), 0.25))


def test_a_view_is_linear_in_the_texture_and_leaves_the_background():
    draw = torch.Generator().manual_seed(0)
    one, other = torch.rand(2, 3, 16, 16, generator=draw)
    for mesh in (sphere(), cube()):
        view = view_of(mesh, random_pose(draw), SIZE)
        seen, beside = view.picture(one), view.picture(torch.zeros_like(one))
        mixed = view.picture(0.3 * one + 0.7 * other)
        torch.testing.assert_close(mixed, 0.3 * seen + 0.7 * view.picture(other), atol=1e-6, rtol=0)
        assert seen.min() >= 0 and seen.max() <= 1 + 1e-6
        assert torch.equal(seen[:, view.brightness == 0], beside[:, view.brightness == 0])
        assert 0.1 < float((view.brightness > 0).float().mean()) < 0.7


def test_the_sphere_has_the_size_that_perspective_gives_it():
    view = view_of(sphere(48), STILL, (100, 100))
    radius = math.sqrt(float((view.brightness > 0).sum()) / math.pi)
    # Its outline is seen at the angle whose sine is 1 / 3; half the picture at that of 20 degrees.
    assert radius == pytest.approx(50 / math.tan(math.radians(20)) * math.tan(math.asin(1 / 3)), rel=0.01)


def test_the_nearer_triangle_is_seen_and_shares_are_in_perspective():
    corners = torch.tensor([[[0.0, 0], [8, 0], [0, 8]], [[0.0, 0], [8, 0], [0, 8]]])
    depths = torch.tensor([[2.0, 2, 2], [1.0, 4, 1]])
    pixels, faces, shares = rasterised(corners, depths, (8, 8))
    assert set(pixels.tolist()) == {8 * row + column for row in range(8) for column in range(8 - row)}
    torch.testing.assert_close(shares.sum(1), torch.ones(len(pixels)))
    # The second one's depth at a point x of the upper edge is 1 / (1 - x / 8 + x / 32).
    here = {int(pixel): (int(face), share) for pixel, face, share in zip(pixels, faces, shares, strict=True)}
    for column in range(7):
        x, y = (column + 0.5) / 8, 0.5 / 8
        depth = 1 / (1 - x + x / 4)
        face, share = here[column]
        assert face == (1 if depth < 2 else 0)
        if face == 1:
            assert float(share[1]) == pytest.approx(x / 4 * depth, abs=1e-5) and float(share[2]) == pytest.approx(
                y * depth, abs=1e-5
            )


def test_a_sphere_has_no_seam_where_its_texture_ends():
    """Rolled by half the texture and turned by half a turn, it looks the same."""
    texture = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    half = torch.diag(torch.tensor([-1.0, 1, -1]))
    for side in (torch.eye(3), rotation_of(torch.tensor([math.sqrt(0.5), 0, math.sqrt(0.5), 0]))):
        pose = replace(STILL, rotation=side)
        one = view_of(sphere(), pose, SIZE).picture(texture)
        other = view_of(sphere(), replace(pose, rotation=side @ half), SIZE).picture(texture.roll(4, 2))
        torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


def test_what_is_behind_the_camera_is_not_drawn():
    near = Pose(torch.eye(3), (0.0, 0.0), 0.5, STILL.light, 1.0, STILL.background)
    assert torch.isfinite(view_of(sphere(), near, SIZE).places).all()
    away = Pose(torch.eye(3), (0.0, 0.0), -3.0, STILL.light, 1.0, STILL.background)
    assert not view_of(sphere(), away, SIZE).brightness.any()


def test_rotations_and_normals():
    draw = torch.Generator().manual_seed(1)
    for _ in range(3):
        turn = random_pose(draw).rotation
        torch.testing.assert_close(turn @ turn.T, torch.eye(3), atol=1e-5, rtol=0)
        assert float(torch.linalg.det(turn)) == pytest.approx(1, abs=1e-5)
    quarter = rotation_of(torch.tensor([math.sqrt(0.5), 0, math.sqrt(0.5), 0]))
    torch.testing.assert_close(quarter @ torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 0, -1]), atol=1e-6, rtol=0)
    torch.testing.assert_close(turned(0.25).rotation, turned(1.25).rotation, atol=1e-5, rtol=0)
    for mesh in (sphere(), cube()):
        outwards = (mesh.points.mean(1) * mesh.normals.mean(1)).sum(1)
        assert (outwards > 0).all() and float(mesh.points.norm(dim=2).max()) == pytest.approx(1, abs=1e-5)
        assert mesh.places.min() >= 0 and mesh.places.max() <= 1


def square(path, *, texture=True):
    corners = "v 0 0 0\nv 2 0 0\nv 2 2 0\nv 0 2 0\n" + ("vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n" if texture else "")
    path.write_text(corners + ("f 1/1 2/2 3/3 -1/-1\n" if texture else "f 1 2 3 4\n"))
    return str(path)


def test_a_file_is_read_and_drawn(tmp_path):
    mesh = solid_named(square(tmp_path / "square.obj"))
    assert mesh.points.shape == (2, 3, 3) and mesh.points.abs().amax((0, 1))[2] == 0
    texture = torch.zeros(3, 2, 2)
    texture[0, 0, 0], texture[1, 1, 1] = 1, 1  # red at its upper left, green at its lower right
    picture = view_of(mesh, STILL, (60, 60)).picture(texture)
    red, green = (torch.nonzero(picture[channel] > 0.9).float().mean(0) for channel in (0, 1))
    assert red[0] < 30 and red[1] < 30 and green[0] > 30 and green[1] > 30


def test_files_that_cannot_be_drawn(tmp_path):
    with pytest.raises(AttackError, match="no places on a texture"):
        solid_named(square(tmp_path / "bare.obj", texture=False))
    with pytest.raises(AttackError, match="cannot be read"):
        solid_named(str(tmp_path / "none.obj"))
    for number, text in enumerate(
        ("", "v 1 2\nvt 0 0\nf 1/1 1/1 1/1\n", "v 0 0 0\nvt 0 0\nf 1/1 2/1 3/1\n", "v a b c")
    ):
        path = tmp_path / f"{number}.obj"
        path.write_text(text)
        with pytest.raises(AttackError, match="it is no .obj file"):
            solid_named(str(path))
    with pytest.raises(AttackError, match="no solid 'cone'; there are sphere, cube, and .obj files"):
        solid_named("cone")


class Reddish(nn.Module):
    """Its two classes are how red and how blue a picture's middle is."""

    def forward(self, images):
        middle = images[:, :, 12:20, 12:20].mean((2, 3))
        return 8 * middle[:, [0, 2]]


@pytest.mark.parametrize("solid", ["sphere", "cube"])
def test_a_texture_is_seen_as_the_target_from_unseen_sides(solid):
    mesh, options = solid_named(solid), {"size": (32, 32), "steps": 12, "poses": 3, "texels": 16}
    made = train_texture(Reddish(), mesh, 1, **options)
    assert made.shape == (3, 16, 16) and made.min() >= 0 and made.max() <= 1
    seen = seen_from_sides(Reddish(), mesh, made, poses=40, size=(32, 32))
    assert float((seen == 1).float().mean()) > 0.8
    options["steps"] = 3
    near = train_texture(Reddish(), mesh, 1, start=torch.full((3, 8, 8), 0.4), eps=0.1, **options)
    assert torch.equal(near, train_texture(Reddish(), mesh, 1, start=torch.full((3, 8, 8), 0.4), eps=0.1, **options))
    assert (near - 0.4).abs().max() <= 0.1 + 1e-6 and near[2].mean() > near[0].mean()


def test_what_is_refused():
    for options, said in (
        ({"steps": 0}, "steps is a whole number"),
        ({"eps": 2.0}, "eps is from 0 to 1"),
        ({"start": torch.zeros(1, 4, 4)}, "a texture has the shape"),
    ):
        with pytest.raises(AttackError, match=said):
            train_texture(Reddish(), cube(), 0, size=(32, 32), **{"steps": 1, "poses": 1, **options})
    assert isinstance(cube(), Mesh)
