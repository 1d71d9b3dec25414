"""Files that unpack to far more than they hold are refused before they do."""

import pickle
import struct
import sys
import zipfile

import pytest
import torch

from interpret.errors import NetworkError
from interpret.models.state_dict import read_weights

resource = pytest.importorskip("resource")


class Inflating:
    """Four gigabytes, in a few bytes of pickle."""

    def __reduce__(self):
        return bytearray, (4 * 10**9,)


def peak() -> int:
    """Bytes that the process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize("kind", ["zip", "pickle", "old"])
def test_an_array_that_inflates_is_refused(tmp_path, kind):
    path, before = tmp_path / "bomb.pth", peak()
    if kind == "pickle":
        path.write_bytes(pickle.dumps({"a": Inflating()}, protocol=2))
    else:
        torch.save({"a": Inflating()}, path, _use_new_zipfile_serialization=kind == "zip")
    with pytest.raises(NetworkError, match="holds an array of bytes, as no weights do"):
        read_weights(path)
    assert peak() - before < 5e8


def test_an_archive_that_inflates_is_refused(tmp_path):
    torch.save({"a": torch.zeros(2**20)}, tmp_path / "plain.pth")
    with zipfile.ZipFile(tmp_path / "plain.pth") as plain:
        with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as packed:
            for name in plain.namelist():
                packed.writestr(name, plain.read(name))
    with pytest.raises(NetworkError, match="unpacks to more than it holds"):
        read_weights(tmp_path / "bomb.pth")
    assert read_weights(tmp_path / "plain.pth")["a"].shape == (2**20,)


def test_honest_files_of_both_kinds_are_read(tmp_path):
    for new in (True, False):
        torch.save({"a": torch.arange(3.0), "note": "bytes"}, tmp_path / "w.pth", _use_new_zipfile_serialization=new)
        assert read_weights(tmp_path / "w.pth")["a"].tolist() == [0, 1, 2]
    (tmp_path / "w.pth").write_bytes(b"\x80\x02" + struct.pack("<I", 7))
    with pytest.raises(NetworkError, match="not a file of PyTorch weights"):
        read_weights(tmp_path / "w.pth")
