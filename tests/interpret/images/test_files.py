"""Picture files: every odd kind by its values, and writing whole files or none."""

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from interpret import InterpretError, PictureError, UnknownNameError
from interpret.images import files as pictures
from interpret.images.files import read, to_pil, write, write_bytes
from interpret.images.levels import from_levels
from tests.command import REPOSITORY

RED, WHITE, BLACK = (1.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
SIDE_BY_SIDE = Image.fromarray(np.array([[[255, 0, 0], [0, 0, 255]]], dtype=np.uint8))


def colours(image):
    """The pixels of (1, 3, H, W), row after row, as triples."""
    return [tuple(pixel) for pixel in image[0].flatten(1).T.tolist()]


def grey(*levels):
    return [(level, level, level) for level in levels]


def of_mode(mode, *pixels):
    picture = Image.new(mode, (len(pixels), 1))
    for column, pixel in enumerate(pixels):
        picture.putpixel((column, 0), pixel)
    return picture


def sixteen_bits(kind):
    return Image.fromarray(np.array([[0, 257, 13107, 65535]], dtype=kind))


def palette(**options):
    picture = of_mode("P", 0, 1)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.info.update(options)
    return picture


KINDS = {
    "rgb.png": (of_mode("RGB", (255, 0, 0), (51, 102, 255)), [RED, (0.2, 0.4, 1.0)]),
    "grey.png": (of_mode("L", 0, 51, 255), grey(0, 0.2, 1)),
    "bit.png": (of_mode("1", 0, 1), [BLACK, WHITE]),
    "16 bit.png": (sixteen_bits("<u2"), grey(0, 1 / 255, 0.2, 1)),
    "16 bit.tiff": (sixteen_bits("<u2"), grey(0, 1 / 255, 0.2, 1)),
    "16 bit big.tiff": (sixteen_bits(">u2"), grey(0, 1 / 255, 0.2, 1)),
    "32 bit.tiff": (sixteen_bits("<i4"), grey(0, 1 / 255, 0.2, 1)),
    "float.tiff": (of_mode("F", 0.0, 0.3, 1.0), grey(0, 0.3, 1)),
    "cmyk.tiff": (of_mode("CMYK", (0, 255, 255, 0), (0, 0, 0, 255)), [RED, BLACK]),
    "lab.tiff": (of_mode("LAB", (255, 128, 128), (0, 128, 128), (138, 209, 198)), [WHITE, BLACK, RED]),
    "alpha.png": (of_mode("RGBA", (0, 0, 0, 0), (255, 0, 0, 255), (0, 0, 0, 51)), [WHITE, RED, *grey(0.8)]),
    "grey alpha.png": (of_mode("LA", (0, 0), (0, 255), (0, 51)), [WHITE, BLACK, *grey(0.8)]),
    "palette.png": (palette(), [RED, (0, 0, 1)]),
    "palette alpha.png": (palette(transparency=b"\xff\x00"), [RED, WHITE]),
    "palette.gif": (palette(transparency=1), [RED, WHITE]),
    "key.png": (of_mode("RGB", (255, 0, 0), (0, 0, 255)), [RED, (0, 0, 1)]),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_read_by_its_values(tmp_path, name):
    picture, expected = KINDS[name]
    picture.save(tmp_path / name)
    image = read(tmp_path / name)
    assert image.shape == (1, 3, 1, picture.width)
    assert image.dtype == torch.float32 and image.is_contiguous()
    tolerance = 0.02 if name.startswith("lab") else 1e-6
    assert colours(image) == [pytest.approx(colour, abs=tolerance) for colour in expected]


def test_ycbcr_and_cmyk_jpegs_keep_their_colours(tmp_path):
    for mode, red in ("YCbCr", (76, 85, 255)), ("CMYK", (0, 255, 255, 0)):
        Image.new(mode, (16, 16), red).save(tmp_path / "red.jpg", quality=100)
        assert colours(read(tmp_path / "red.jpg"))[0] == pytest.approx(RED, abs=0.02)


def test_a_transparent_colour_is_white(tmp_path):
    of_mode("RGB", (255, 0, 0), (0, 0, 255)).save(tmp_path / "key.png", transparency=(0, 0, 255))
    assert colours(read(tmp_path / "key.png")) == [RED, WHITE]


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (2, 2), colour) for colour in ("red", "blue")]
    for name in "moving.gif", "moving.png", "moving.tiff":
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert colours(read(tmp_path / name)) == [RED] * 4


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [(1, "RB"), (2, "BR"), (3, "BR"), (4, "RB"), (5, "R/B"), (6, "R/B"), (7, "B/R"), (8, "B/R")],
)
def test_exif_orientation_turns_the_picture(tmp_path, orientation, expected):
    exif = Image.Exif()
    exif[0x0112] = orientation
    SIDE_BY_SIDE.save(tmp_path / "turned.png", exif=exif)
    image = read(tmp_path / "turned.png")
    assert image.shape[2:] == ((2, 1) if "/" in expected else (1, 2))
    names = {"R": RED, "B": (0, 0, 1)}
    assert colours(image) == [names[letter] for letter in expected.replace("/", "")]


def test_broken_exif_does_not_hide_the_pixels(tmp_path):
    SIDE_BY_SIDE.save(tmp_path / "odd.png", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert colours(read(tmp_path / "odd.png")) == [RED, (0, 0, 1)]


def test_open_files_and_names_of_every_type(tmp_path):
    path = tmp_path / "two.png"
    SIDE_BY_SIDE.save(path)
    wanted = read(path)
    with open(path, "rb") as file:
        assert torch.equal(read(file), wanted)
    assert torch.equal(read(str(path)), wanted)
    assert torch.equal(read(io.BytesIO(path.read_bytes())), wanted)


def test_a_pipe_is_read():
    content = io.BytesIO()
    SIDE_BY_SIDE.save(content, "PNG")
    reading, writing = os.pipe()
    with open(writing, "wb") as file:
        file.write(content.getvalue())
    with open(reading, "rb") as file:
        assert colours(read(file)) == [RED, (0, 0, 1)]


def test_samples_are_read_by_name():
    assert read("sample:cat").shape == (1, 3, 300, 451)
    with pytest.raises(UnknownNameError, match="there is no sample 'catt'; did you mean 'cat'"):
        read("sample:catt")


def png_header(width, height):
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (body, data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def truncated(kind):
    content = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(content, kind)
    return content.getvalue()[: len(content.getvalue()) // 2]


UNREADABLE = {
    "truncated.jpg": (truncated("JPEG"), "is damaged, incomplete"),
    "truncated.png": (truncated("PNG"), "is damaged, incomplete"),
    "truncated.gif": (truncated("GIF"), "is damaged, incomplete"),
    "truncated.tiff": (truncated("TIFF"), "damaged"),
    "truncated.webp": (truncated("WEBP"), "damaged"),
    "truncated.bmp": (truncated("BMP"), "is damaged, incomplete"),
    "text.jpg": (b"not a picture at all\n", "no picture of a known kind"),
    "empty.png": (b"", "is empty"),
    "head.png": (png_header(4, 4)[:20], "damaged"),
    "bomb.png": (png_header(30_000, 30_000), r"too large .*900000000 pixels.* scale it down"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_one_clear_line(tmp_path, name):
    content, reason = UNREADABLE[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PictureError, match=reason) as caught:
        read(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_missing_folder_and_forbidden(tmp_path, monkeypatch):
    with pytest.raises(PictureError, match="nowhere.png does not exist"):
        read(tmp_path / "nowhere.png")
    with pytest.raises(PictureError, match="is a folder"):
        read(tmp_path)

    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pictures.Path, "read_bytes", forbidden)
    with pytest.raises(PictureError, match="secret.png may not be opened; check its permissions"):
        read("secret.png")


@pytest.mark.parametrize("values", [(0.0, 1.5), (-0.1, 1.0), (0.0, float("nan"))])
def test_floating_point_outside_0_to_1_is_refused(tmp_path, values):
    of_mode("F", *values).save(tmp_path / "hdr.tiff")
    with pytest.raises(PictureError, match="hdr.tiff .*instead of 0 to 1"):
        read(tmp_path / "hdr.tiff")


@pytest.mark.parametrize(
    "kind", [OSError, SyntaxError, struct.error, ValueError, EOFError, zlib.error, IndexError, MemoryError]
)
def test_whatever_a_decoder_raises_is_a_picture_error(monkeypatch, kind):
    def broken(file):
        raise kind("two\nlines")

    monkeypatch.setattr(pictures.Image, "open", broken)
    with pytest.raises(PictureError) as caught:
        read(io.BytesIO(b"x"))
    assert str(caught.value).startswith("the open file ") and "\n" not in str(caught.value)


def test_standard_input_is_called_so():
    class Stdin(io.BytesIO):
        name = "<stdin>"

    with pytest.raises(PictureError, match="^standard input is empty"):
        read(Stdin())


def test_a_large_picture_passes_without_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60)  # Pillow warns above it, and refuses above twice that
    Image.new("1", (10, 10)).save(tmp_path / "large.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(tmp_path / "large.png").shape == (1, 3, 10, 10)


def test_pillow_stays_as_set_and_no_file_stays_open(tmp_path):
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    (tmp_path / "bad.jpg").write_bytes(truncated("JPEG"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with pytest.raises(PictureError):
            read(tmp_path / "bad.jpg")
        read("sample:cat")
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == before


def test_png_keeps_every_level_and_the_metadata(tmp_path):
    image = from_levels(torch.randint(0, 256, (1, 3, 13, 17), dtype=torch.uint8))
    for given in image, image[0], to_pil(image), image.clone().requires_grad_():
        write(tmp_path / "picture.png", given, metadata={"command": "interp gradcam", "class": "Bücher 猫"})
        assert torch.equal(read(tmp_path / "picture.png"), image)
        with Image.open(tmp_path / "picture.png") as picture:
            assert picture.text == {"command": "interp gradcam", "class": "Bücher 猫"}
    assert os.listdir(tmp_path) == ["picture.png"]


@pytest.mark.parametrize(("suffix", "kind"), [(".jpg", "JPEG"), (".JPEG", "JPEG"), (".webp", "WEBP")])
def test_the_suffix_picks_the_format(tmp_path, suffix, kind):
    flat = torch.full((3, 16, 16), 0.6)
    write(tmp_path / f"flat{suffix}", flat, metadata={"ignored": "here"})
    write(tmp_path / f"clear{suffix}", Image.new("RGBA", (4, 4)))
    assert (read(tmp_path / f"flat{suffix}") - flat).abs().max() < 0.02
    assert read(tmp_path / f"clear{suffix}").min() > 0.98
    with Image.open(tmp_path / f"flat{suffix}") as picture:
        assert picture.format == kind


def test_quality_decides_on_the_size(tmp_path):
    for quality in 20, 95:
        write(tmp_path / f"{quality}.jpg", torch.rand(3, 32, 32), quality=quality)
    assert (tmp_path / "20.jpg").stat().st_size < (tmp_path / "95.jpg").stat().st_size


def test_an_open_file_gets_png():
    file = io.BytesIO()
    write(file, torch.ones(3, 2, 2), metadata={"seed": "0"})
    assert Image.open(file).text == {"seed": "0"}
    file.seek(0)
    assert colours(read(file)) == [WHITE] * 4


@pytest.mark.parametrize("shape", [(3, 4), (1, 4, 4), (2, 3, 4, 4), (1, 1, 3, 4, 4), (0, 3, 4, 4)])
def test_other_shapes_are_refused(tmp_path, shape):
    with pytest.raises(InterpretError, match="one picture is"):
        write(tmp_path / "picture.png", torch.zeros(shape))
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written_says_why(tmp_path):
    image = torch.zeros(3, 2, 2)
    with pytest.raises(PictureError, match=r"'.gif'; the suffix is one of .png, .jpg"):
        write(tmp_path / "picture.gif", image)
    with pytest.raises(PictureError, match="No such file or directory"):
        write(tmp_path / "nowhere" / "picture.png", image)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(PictureError, match="Is a directory"):
        write(tmp_path / "folder.png", image)
    with pytest.raises(PictureError, match="JPEG cannot hold this picture"):
        write(tmp_path / "long.jpg", torch.zeros(3, 1, 70_000))
    assert os.listdir(tmp_path) == ["folder.png"]


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, failure, step):
    target = tmp_path / "picture.png"
    write(target, torch.zeros(3, 2, 2))
    before = target.read_bytes()

    def half(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise failure

    def refused(*names):
        raise failure

    if step == "replace":
        monkeypatch.setattr(pictures.os, "replace", refused)
    else:
        monkeypatch.setattr(pictures.Path, "write_bytes", half)
    with pytest.raises(PictureError if isinstance(failure, OSError) else KeyboardInterrupt):
        write(target, torch.ones(3, 2, 2))
    assert target.read_bytes() == before
    assert os.listdir(tmp_path) == ["picture.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="links and permissions are those of POSIX")
def test_links_stay_links_and_permissions_are_the_usual_ones(tmp_path):
    (tmp_path / "link.png").symlink_to("real.png")
    write(tmp_path / "link.png", torch.zeros(3, 2, 2))
    (tmp_path / "plain").touch()
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").stat().st_mode == (tmp_path / "plain").stat().st_mode
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_bytes(tmp_path / "pipe", b"through")
    assert os.read(reading, 100) == b"through"
    os.close(reading)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_significant_bits(values, bits):
    """A PNG of 16-bit grey that says how many of them count."""
    content = io.BytesIO()
    Image.fromarray(np.array([values], dtype=np.uint16)).save(content, "PNG")
    head, rest = content.getvalue()[:33], content.getvalue()[33:]
    return head + png_chunk(b"sBIT", bytes([bits])) + rest


TWELVE = (0, 1, 819, 2048, 4095)
DEEP = {  # how values of 12 and 10 bits are kept in 16
    "shifted": with_significant_bits([v << 4 for v in TWELVE], 12),
    "shifted and filled": with_significant_bits([v << 4 | v >> 8 for v in TWELVE], 12),
    "as they are": with_significant_bits(TWELVE, 12),
    "10 bits": with_significant_bits([v << 6 | v >> 4 for v in (0, 1, 205, 512, 1023)], 10),
}


@pytest.mark.parametrize("name", DEEP)
def test_a_png_is_scaled_by_its_significant_bits(tmp_path, name, caplog):
    (tmp_path / "deep.png").write_bytes(DEEP[name])
    expected = [v / 1023 for v in (0, 1, 205, 512, 1023)] if name == "10 bits" else [v / 4095 for v in TWELVE]
    assert colours(read(tmp_path / "deep.png")) == [pytest.approx((v, v, v), abs=1e-6) for v in expected]
    assert not caplog.records


def tiff(values, data=None, **tags):
    """A little TIFF of grey, with tags such as t258, and perhaps values that are packed."""
    entries = {256: len(values), 257: 1, 259: 1, 262: 1, 277: 1, 278: 1, **{int(tag[1:]): v for tag, v in tags.items()}}
    data = data or b"".join(struct.pack("<H", value) for value in values)
    entries |= {273: 8, 279: len(data)}
    offset = 8 + len(data) + len(data) % 2
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    head = b"II*\x00" + struct.pack("<I", offset) + data + b"\x00" * (len(data) % 2)
    return head + struct.pack("<H", len(entries)) + body + b"\x00" * 4


def test_a_tiff_is_scaled_by_its_own_depth(tmp_path):
    values = (0, 1023, 2048, 4095)
    expected = [pytest.approx((v / 4095,) * 3, abs=1e-6) for v in values]
    packed = bytes.fromhex("0003ff800fff")  # 000 3ff 800 fff: two values in three bytes
    for content in (tiff(values, packed, t258=12), tiff(values, t258=16, t281=4095)):
        (tmp_path / "deep.tif").write_bytes(content)
        assert colours(read(tmp_path / "deep.tif")) == expected


def test_deep_grey_that_is_dark_is_said(tmp_path, caplog):
    Image.fromarray(np.array([[0, 4095]], dtype=np.uint16)).save(tmp_path / "dark.png")
    Image.fromarray(np.array([[0, 40950]], dtype=np.uint16)).save(tmp_path / "light.png")
    read(tmp_path / "light.png")
    assert not caplog.records
    read(tmp_path / "dark.png")
    (record,) = caplog.records
    assert "dark.png: its lightest value is 4095 of 65535" in record.getMessage()


def test_heic_names_its_plug_in(tmp_path):
    (tmp_path / "photo.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(200))
    with pytest.raises(PictureError, match="HEIC, for which the package pillow-heif is needed"):
        read(tmp_path / "photo.heic")


KILLED = """
import os, sys
from interpret.images.files import written_beside
from pathlib import Path
with written_beside(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(os.name == "nt", reason="has other signals")
def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path, monkeypatch):
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "a.png"], cwd=REPOSITORY)
    (half,) = tmp_path.iterdir()
    # One of a process that is at work, of another machine, and somebody else's.
    ours = half.name.split("-")
    others = [half.with_name("-".join([*ours[:2], str(os.getppid()), *ours[3:]]))]
    others += [half.with_name("-".join([ours[0], "0" * 8, *ours[2:]])), tmp_path / f".interp-{ours[1]}-notes.tmp"]
    for other in others:
        other.touch()
    write_bytes(tmp_path / "b.png", b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "b.png"])
