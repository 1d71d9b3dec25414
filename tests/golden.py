"""What a change of the code must not change: every attack's output, every explainer's map, what commands write.

    python -m tests.golden record FOLDER     before the change
    python -m tests.golden compare FOLDER    after it; the status is 1 where anything differs

Attacks and explainers run on a tiny network in double precision and are compared bit for bit; commands run as a user
types them, in a folder of their own, and are compared by exit status, output and pixels. pytest does not run this: it
holds on to an earlier version of the code, not to what is right.
"""

import argparse
import hashlib
import inspect
import io
import json
import os
import re
import shlex
import tempfile
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import attacks
import interpret
from attacks import ATTACKS
from cli.app import main
from interpret.explainers import EXPLAINERS

FEW = {"steps": 6, "queries": 30, "target_classes": 2, "population": 12, "restarts": 2, "searches": 3, "samples": 3}
KINDS = (
    {},
    {"quantize": True},
    {"targeted": True},
    {"norm": "L2", "eps": 0.5},
    {"stop_when_fooled": True, "batch_size": 2},
    {"loss": "margin"},
    {"random_start": True, "seed": 3},
)
COMMANDS = """
predict sample:koala sample:cat --top-k 2 --json
gradcam sample:cat-and-dog -c cat -c dog --view side-by-side
gradcam sample:cat sample:koala --scale shared -o out
guided-backprop sample:koala -c koala -m squeezenet1_1
saliency sample:cat --raw --size model
integrated-gradients sample:cat --versus dog -v
occlusion sample:cat -m squeezenet1_1 --window 64 --stride 48
layercam sample:cat -c dog --class-mode sum --smooth 3
scorecam sample:cat -m squeezenet1_1 -o map.npz
grid sample:cat-and-dog --methods guided-backprop,gradcam,guided-gradcam -c cat -c dog --no-cache
grid sample:cat sample:koala --methods saliency,gradcam --attacks pgd --scale col --no-cache -o figure.png
report sample:cat-and-dog -m squeezenet1_1 --methods gradcam,saliency --no-attack --no-sanity -q -o report.html
report sample:cat -m squeezenet1_1 --methods gradcam -q -o report.html --json
attack fgsm --eps 2lv --jpeg 90 --through resize,blur,noise --csv verdicts.csv
attack pgd sample:cat --eps 4lv --target toaster --steps 5 --json
attack fmn sample:koala -m squeezenet1_1 --steps 10
attack physical sample:cat -m squeezenet1_1 --steps 3 --samples 2
attack explanation --steps 8
attack patch --steps 4 -m squeezenet1_1
attack universal --steps 4 -m squeezenet1_1
evaluate accuracy labelled --json
evaluate robustness labelled -m squeezenet1_1 --eps 0,1lv,2lv --steps 3
evaluate masking labelled -m squeezenet1_1 --queries 10
evaluate faithfulness labelled -r -m squeezenet1_1 --methods saliency,gradcam --metrics all --regions boxes.json
evaluate sanity sample:cat -m squeezenet1_1 --methods saliency,gradcam --depths 2
filters
activations sample:cat --layer _blocks.3._swish
top-activations labelled -r --layer _bn1 --channel 214,427 --json
visualize volcano _blocks.9:44 --steps 4 --negative --curve curve.png --gif way.gif
visualize _blocks.12:100 _blocks.9:44 --beside labelled --steps 3
dream sample:bridge --size 128 --steps 2
style sample:cat sample:painting-cafe-terrace --size 128 --steps 3
invert sample:koala --steps 3
train digits --network cnn --size 16 --defense trades --eps 0.2 --epochs 2 -o robust
gradcam digit.png -m robust/best.pt
check-gradient sample:cat -m squeezenet1_1 --pixels 5
layers -m squeezenet1_1
classes dog --json
methods
models alex
samples
gradcam sample:cta
gradcam sample:cat -c catt
gradcam sample:cat --layer features.99
attack fgsm --eps 8
train nothing
evaluate accuracy samples
predict missing.png
"""


def tiny() -> torch.nn.Module:
    """A network of two convolutions that knows five classes, in double precision."""
    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(6, 8, 3, padding=1)]
    head = [torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 5)]
    return torch.nn.Sequential(*layers, *head).double().eval()


def attacked() -> dict[str, torch.Tensor]:
    """Every attack's output in every kind that it knows."""
    model, found = tiny(), {}
    images = torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    images[:, :, 0], images[:, :, 1] = 0, 1
    images = (images * 255).round() / 255
    labels = model(images).argmax(1)
    for name in (name for name, kind in ATTACKS.items() if kind != "map"):
        known = inspect.signature(attacks.attack_named(name)).parameters
        for kind in KINDS:
            if not set(kind) <= set(known):
                continue
            options = {key: value for key, value in {**FEW, "eps": 0.1, **kind}.items() if key in known}
            wanted = (labels + 1) % 5 if kind.get("targeted") else labels
            try:
                made = getattr(attacks, name)(model, images, wanted, **options)
            except attacks.AttackError as error:
                made = torch.tensor(list(str(error).encode()))
            found[f"{name} {kind}"] = made.detach()
    return found


def explained() -> dict[str, torch.Tensor]:
    """Every explainer's map of two pictures, for a tiny network and through a classifier's own preprocessing."""
    found = {}
    network = tiny()
    sized = interpret.Classifier(network, mean=[0.4] * 3, std=[0.3] * 3, input_size=12, resize=14)
    images = torch.rand(2, 3, 20, 16, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for name in EXPLAINERS:
        explain = getattr(interpret, name)
        for label, classifier in (("network", network), ("classifier", sized)):
            known = inspect.signature(explain).parameters
            few = {"samples": 4, "masks": 8, "steps": 5, "window": 5, "stride": 4}
            options = {key: value for key, value in few.items() if key in known}
            try:
                found[f"{name} {label}"] = explain(classifier, images, [1, 3], **options)
            except interpret.InterpretError as error:
                found[f"{name} {label}"] = torch.tensor(list(str(error).encode()))
    return found


def prepare(folder: Path) -> None:
    """The pictures that the commands take."""
    (folder / "labelled").mkdir()
    rows = ["file,label"]
    for name, label in (("cat", "tiger cat"), ("koala", "koala"), ("giant-panda", "giant panda"), ("bison", "bison")):
        file = interpret.bundled.sample(name)
        (folder / "labelled" / file.name).write_bytes(file.read_bytes())
        rows.append(f"{file.name},{label}")
    (folder / "labelled" / "labels.csv").write_text("\n".join(rows))
    (folder / "boxes.json").write_text(json.dumps({"cat.jpg": [50, 50, 300, 250], "koala.jpg": [[20, 20, 200, 200]]}))
    digit = interpret.open_dataset("digits", train=False, size=(16, 16)).batch(torch.tensor([0]))[0]
    interpret.write(folder / "digit.png", digit.expand(1, 3, 16, 16))


def ran(command: str, folder: Path) -> dict:
    """The exit status, the output without numbers of seconds, and a hash of the pixels of every file."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.TextIOWrapper(io.BytesIO(), write_through=True)
    with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
        status = main(shlex.split(command))
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and before.get(path) != path.stat().st_mtime_ns:
            files[steady(str(path.relative_to(folder)))] = content_of(path)
    texts = [stream.buffer.getvalue().decode(errors="replace").replace(str(folder), "") for stream in (out, err)]
    return {"status": status, "out": steady(texts[0]), "err": steady(texts[1]), "files": files}


def steady(text: str) -> str:
    """A text without what differs from run to run."""
    text = re.sub(r'"(cpu_seconds|seconds)": [\d.]+', r'"\1": 0', text)
    text = re.sub(r"\d+(\.\d+)? s\b", "0 s", text)
    return re.sub(r"[0-9a-f]{12}\.index", "index", text)


def content_of(path: Path) -> str:
    """What must stay the same of a file: the pixels, the arrays, the text; of weights, the numbers."""
    if path.suffix in (".png", ".jpg", ".gif"):
        with Image.open(path) as picture:
            return hashlib.sha256(picture.convert("RGB").tobytes() + str(picture.size).encode()).hexdigest()[:16]
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            wanted = [arrays[name].tobytes() for name in arrays.files if name not in ("about", "stamps", "files")]
        return hashlib.sha256(b"".join(wanted)).hexdigest()[:16]
    if path.suffix == ".pt":
        state = torch.load(path, weights_only=True)["state"]
        return hashlib.sha256(b"".join(value.numpy().tobytes() for value in state.values())).hexdigest()[:16]
    text = path.read_bytes().decode(errors="replace")
    if path.suffix == ".csv":
        rows = [row.split(",") for row in text.splitlines()]
        dropped = [n for n, name in enumerate(rows[0]) if name in ("run", "cpu_seconds", "seconds", "path", "picture")]
        text = "\n".join(",".join(cell for n, cell in enumerate(row) if n not in dropped) for row in rows)
    return text if len(text) < 4000 else hashlib.sha256(text.encode()).hexdigest()[:16]


def commanded() -> dict[str, dict]:
    """What every command leaves."""
    found, home = {}, Path.cwd()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        os.chdir(folder)
        try:
            prepare(folder)
            for command in COMMANDS.strip().splitlines():
                found[command] = ran(command, folder)
                print(command, found[command]["status"], flush=True)
        finally:
            os.chdir(home)
    return found


def differences(before: dict, after: dict, path: str = "") -> list[str]:
    """Where two records differ."""
    found = []
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found += differences(one, other, f"{path}{key}: ")
        elif isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
            if one.shape != other.shape or not torch.equal(one, other):
                gap = float((one - other).abs().max()) if one.shape == other.shape else float("nan")
                found.append(f"{path}{key}: the tensors differ by {gap:.3g}")
        elif one != other:
            found.append(f"{path}{key}:\n    {str(one)[:1500]!r}\n    {str(other)[:1500]!r}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["record", "compare"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=["attacks", "explainers", "commands"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    warnings.simplefilter("default", attacks.GradientWarning)
    makers = {"attacks": attacked, "explainers": explained, "commands": commanded}
    failed = 0
    for name, make in makers.items():
        if given.only in (None, name):
            file = given.folder / f"{name}.pt"
            now = make()
            if given.what == "record":
                given.folder.mkdir(parents=True, exist_ok=True)
                torch.save(now, file)
                print(f"{file}: {len(now)} results")
                continue
            lines = differences(torch.load(file, weights_only=True), now)
            failed += len(lines)
            print("\n".join([f"{name}: {len(lines)} differences among {len(now)} results", *lines]))
    raise SystemExit(bool(failed))
