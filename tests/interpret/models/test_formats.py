"""Networks from where people keep them: Hugging Face folders, ONNX, TorchScript, torch.export, fresh weights."""

import json
import sys
import textwrap
import warnings

import pytest
import torch
from torch import nn

import interpret
from interpret import NetworkError
from interpret.explainers import explainer_named
from tests.brought import Functions
from tests.refusals import refusal

PLAIN = {"mean": [0.5] * 3, "std": [0.25] * 3, "input_size": 32}


def image(size=32):
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(5))


def convolutional():
    torch.manual_seed(1)
    layers = nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU()
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)).eval()


def written_torchscript(network, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and files of it are still about
        torch.jit.save(torch.jit.trace(network, torch.rand(1, 3, 32, 32)), path)


def written_program(network, path, batch=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = torch.rand(batch or 2, 3, 32, 32)
        free = None if batch else ({0: torch.export.Dim("batch")},)
        torch.export.save(torch.export.export(network, (example,), dynamic_shapes=free), path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["script.pt", "program.pt2", "one.pt2"])
def test_programs_give_the_networks_own_answers(tmp_path, kind):
    network, path = convolutional(), tmp_path / kind
    if kind == "script.pt":
        written_torchscript(network, path)
    else:
        written_program(network, path, 1 if kind == "one.pt2" else None)
    loaded, own = interpret.load(path, **PLAIN), interpret.Classifier(network, **PLAIN)
    images = torch.cat([image(), image().flip(3)])
    torch.testing.assert_close(loaded(images), own(images))
    for method, options in (("saliency", {}), ("integrated_gradients", {"steps": 4}), ("occlusion", {"window": 16})):
        explain = explainer_named(method)
        torch.testing.assert_close(explain(loaded, images, 1, **options), explain(own, images, 1, **options))
    name = "TorchScript" if kind == "script.pt" else "torch.export"
    for method in ("gradcam", "layercam", "cam", "eigencam"):
        options = {"layer": "0"} if method == "layercam" else {}
        message = refusal(lambda m=method, o=options: explainer_named(m)(loaded, images, 1, **o), kind=NetworkError)
        assert name in message
    assert "mean" in refusal(interpret.load, path, kind=NetworkError)


@pytest.mark.filterwarnings("ignore")
def test_onnx(tmp_path):
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx2torch")
    network, path = written_onnx(onnx, tmp_path)
    loaded = interpret.load(path, **PLAIN)
    given = loaded.normalise(image())
    (expected,) = runtime.InferenceSession(str(path)).run(None, {"images": given.numpy()})
    assert (loaded(image()) - torch.from_numpy(expected)).abs().max() < 1e-4
    own = interpret.Classifier(network, **PLAIN)
    for method in ("gradcam", "saliency", "guided_backprop"):
        explain = explainer_named(method)
        torch.testing.assert_close(explain(loaded, image(), 1), explain(own, image(), 1), rtol=1e-3, atol=1e-5)


def written_onnx(onnx, folder):
    """A network, and the same as an ONNX graph written by hand, for which no exporter is needed."""
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
    ).eval()
    numbers = {name: onnx.numpy_helper.from_array(value.numpy(), name) for name, value in network.state_dict().items()}
    make = onnx.helper.make_node
    nodes = [
        make("Conv", ["images", "0.weight", "0.bias"], ["a"], kernel_shape=[3, 3]),
        make("Relu", ["a"], ["b"]),
        make("GlobalAveragePool", ["b"], ["c"]),
        make("Flatten", ["c"], ["d"], axis=1),
        make("Gemm", ["d", "4.weight", "4.bias"], ["logits"], transB=1),
    ]
    info = onnx.helper.make_tensor_value_info
    given = info("images", onnx.TensorProto.FLOAT, ["n", 3, 32, 32])
    graph = onnx.helper.make_graph(
        nodes, "g", [given], [info("logits", onnx.TensorProto.FLOAT, ["n", 4])], list(numbers.values())
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "net.onnx"))
    return network, folder / "net.onnx"


@pytest.mark.parametrize("missing, name", [("onnx2torch", "net.onnx"), ("transformers", "hf:someone/something")])
def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch, missing, name):
    monkeypatch.setitem(sys.modules, missing, None)
    if name.endswith(".onnx"):
        name = str(tmp_path / name)
        open(name, "wb").close()
    message = refusal(lambda: interpret.load(name, **PLAIN), kind=NetworkError)
    assert f"pip install 'interp[{'onnx' if 'onnx' in name else 'hf'}]'" in message


def test_a_damaged_file(tmp_path):
    (tmp_path / "net.pt2").write_bytes(b"nothing")
    assert "cannot be used as a network" in refusal(
        lambda: interpret.load(tmp_path / "net.pt2", **PLAIN), kind=NetworkError
    )


@pytest.mark.slow  # for the import
@pytest.mark.filterwarnings("ignore")
def test_a_hugging_face_folder(tmp_path, monkeypatch):
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    labels = {0: "cat", 1: "dog", 2: "owl"}
    config = transformers.ViTConfig(
        image_size=32, patch_size=8, id2label=labels, label2id={v: k for k, v in labels.items()}, **sizes
    )
    model = transformers.ViTForImageClassification(config).eval()
    model.save_pretrained(tmp_path / "vit")
    settings = {"do_resize": True, "size": {"height": 32, "width": 32}, "do_rescale": True, "rescale_factor": 1 / 255}
    settings |= {"do_normalize": True, "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.4], "resample": 2}
    (tmp_path / "vit" / "preprocessor_config.json").write_text(json.dumps(settings))
    loaded = interpret.load(tmp_path / "vit")
    assert list(loaded.labels) == ["cat", "dog", "owl"] and loaded.input_size == (32, 32)
    mean, std = (torch.tensor(settings[name]).view(3, 1, 1) for name in ("image_mean", "image_std"))
    torch.testing.assert_close(loaded(image()), model((image() - mean) / std).logits)
    with pytest.raises(NetworkError, match="such as '([^']+)'") as caught:
        interpret.gradcam(loaded, image(), 1)
    layer = str(caught.value).split("such as '")[1].rstrip("'")
    assert interpret.gradcam(loaded, image(), 1, layer=layer).any()
    assert interpret.saliency(loaded, image(), 1).any()
    fresh = [interpret.load(tmp_path / "vit", weights="random")(image()) for _ in range(2)]
    assert torch.equal(*fresh)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    message = refusal(interpret.load, "hf:nobody-of-this-name/nothing", kind=NetworkError)
    assert "model.safetensors into a folder" in message


def test_fresh_weights():
    first, second = (interpret.load("resnet18", weights="random") for _ in range(2))
    assert torch.equal(first(image(64)), second(image(64))) and len(first.labels) == 1000


VIEWS = """
    import torch
    from torch import nn

    class Views(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.pool, self.fc = nn.Conv2d(3, 16, 5), nn.MaxPool2d(2), nn.Linear(16 * 14 * 14, 10)

        def forward(self, x):
            x = self.pool(self.conv(x).relu())
            return self.fc(x.view(x.size(0), -1))
"""


@pytest.mark.parametrize("settings", [{"input_size": 32}, {}])
def test_a_network_that_views_its_maps_as_rows(tmp_path, monkeypatch, settings):
    (tmp_path / "views.py").write_text(textwrap.dedent(VIEWS))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "views", raising=False)
    classifier = interpret.load("views:Views", mean=[0] * 3, std=[1] * 3, **settings)
    for layout in (torch.contiguous_format, torch.channels_last):
        images = torch.rand(2, 3, 32, 32).contiguous(memory_format=layout)
        assert interpret.gradcam(classifier, images, 3).shape == (2, 1, 32, 32)
        assert interpret.saliency(interpret.Classifier(classifier.network, mean=[0] * 3, std=[1] * 3), images, 3).any()


def test_the_order_of_channels_stays_fast_where_it_runs():
    classifier = interpret.load("tests.brought:Functions", mean=[0] * 3, std=[1] * 3, weights="random")
    assert isinstance(classifier.network, Functions)
    assert classifier.network.conv1.weight.is_contiguous(memory_format=torch.channels_last)
