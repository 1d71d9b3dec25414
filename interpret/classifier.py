"""A classifier: preprocessing, network and labels in one module that takes pixels to logits."""

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from .errors import InterpretError, NetworkError
from .geometry import INTERPOLATIONS, Geometry, fit
from .labels.names import Labels
from .network.batch_statistics import each_alone
from .network.fingerprint import fingerprint
from .network.hooks import last_call, left_as_found
from .network.layout import Layout
from .network.outputs import first_tensor
from .network.survey import default_layer, layouts_of

PRECISIONS = {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
SUM_TOLERANCE = {torch.bfloat16: 1e-2, torch.float16: 2e-3}  # how far rounding takes a sum of probabilities from 1
LUMA = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow converts to grey


class Classifier(nn.Module):
    """A trained network together with the preprocessing it expects and the names of its classes.

    Called on images (N, C, H, W) of any size in [0, 1], it gives logits (N, classes). Resize, centre
    crop and normalisation happen inside and are differentiable, so gradients come back on the
    picture's own pixels.

    The single output of a network is taken as the log-odds of the second of two classes. Where the
    network ends in ``nn.Sigmoid`` or ``nn.Softmax``, the input of that module is taken, so that
    nothing saturates; where it ends in a softmax called as a function, the logarithm of its output.
    The output may also be a tuple, a dict or an object with ``.logits``. A network of one channel sees
    the luma of colour pictures, and one of three channels also takes grey pictures.

    Args:
        network: takes (N, C, h, w), normalised by ``mean`` and ``std``.
        mean: of each channel, in [0, 1].
        std: of each channel.
        labels: the names of the classes in order.
        input_size: height and width of the network's input, or one number for a square; None leaves
            the picture's size as it is.
        resize: length of the shorter side before the centre crop; by default as short as the crop allows.
        interpolation: of the resize: "bilinear", "bicubic" or "nearest".
        precision: of the network's own arithmetic: "float32" leaves it to the weights; "bf16" and "fp16" are
            autocast, faster on a GPU and less exact. Logits and gradients are float32 in any case.

    Raises:
        InterpretError: settings that contradict each other.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        labels: Sequence[str] | None = None,
        input_size: int | tuple[int, int] | None = None,
        resize: int | None = None,
        interpolation: str = "bicubic",
        precision: str = "float32",
    ) -> None:
        super().__init__()
        mean, std = [float(value) for value in mean], [float(value) for value in std]
        if len(mean) != len(std) or not mean or min(std) <= 0:
            raise InterpretError("mean and std need one number a channel each, and std must be above 0")
        if interpolation not in INTERPOLATIONS:
            raise InterpretError(f"interpolation is one of {', '.join(INTERPOLATIONS)}, not {interpolation!r}")
        if isinstance(input_size, int):
            input_size = input_size, input_size
        if input_size is not None and min(input_size) < 1:
            raise InterpretError(f"input_size is a height and a width of 1 or more, not {input_size}")
        if resize is not None and (input_size is None or resize < max(input_size)):
            raise InterpretError(f"resize ({resize}) needs an input_size of at most that, not {input_size}")
        self.network = network
        self.labels = labels if labels is None or isinstance(labels, Labels) else Labels(labels)
        self.input_size = None if input_size is None else tuple(input_size)
        self.resize = resize
        self.interpolation = interpolation
        self.precision = checked_precision(precision)
        with torch.inference_mode(False):
            self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
            self.register_buffer("std", torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, C, H, W) of any size, in [0, 1]."""
        return self.logits(self.prepare(images)[0])

    def prepare(self, images: Tensor) -> tuple[Tensor, Geometry]:
        """Resize and crop, so that pictures of different sizes can share a batch.

        Args:
            images: (N, C, H, W) of any size, in [0, 1].

        Returns:
            Inputs (N, C, h, w), still in [0, 1] except where bicubic interpolation overshoots, and the
            geometry that lays maps back on the pictures.
        """
        if images.dim() != 4:
            raise InterpretError(f"images have the shape (N, C, H, W), not {tuple(images.shape)}")
        geometry = fit(tuple(images.shape[-2:]), self.input_size, self.resize, self.interpolation)
        return geometry.apply(images), geometry

    def logits(self, inputs: Tensor) -> Tensor:
        """Logits (N, classes) of inputs (N, C, h, w) in [0, 1], as `prepare` gives them."""
        with last_call(self.network, nn.Sigmoid, nn.Softmax) as last, each_alone(self.network):
            output = first_tensor(self._run(self.normalise(inputs)))
        # Such a module may also be a gate inside the network, or exist without being used.
        if last and _same_values(last[1], output):
            output = first_tensor(last[0])
        elif (probabilities := _are_probabilities(output)).any():
            wide = output.float() if output.element_size() < 4 else output
            output = torch.where(probabilities, wide.clamp_min(torch.finfo(wide.dtype).tiny).log(), wide)
        if output.element_size() < 4:
            output = output.float()
        if len(inputs) == 1 and output.shape[1] == 1:
            output = output.reshape(1, -1)  # a network that squeezes its output gives (classes,) for one image
        if len(output) != len(inputs):
            raise NetworkError(f"the network gave logits for {len(output)} pictures, not for {len(inputs)}")
        if output.shape[1] == 1:
            return torch.cat([-output / 2, output / 2], 1)  # a softmax of these is the sigmoid
        return output

    def _run(self, inputs: Tensor) -> object:
        kind = PRECISIONS[self.precision]
        if kind is None:
            return self.network(inputs)
        # The cache of cast weights would keep the graph of the pass that filled it.
        with torch.autocast(inputs.device.type, kind, cache_enabled=False):
            return self.network(inputs)

    def normalise(self, inputs: Tensor) -> Tensor:
        """What the network itself takes, made of inputs (N, C, h, w) in [0, 1]."""
        wanted, given = len(self.mean), inputs.shape[1]
        if wanted == 1 and given == 3:
            inputs = (inputs * inputs.new_tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True)
        elif wanted == 3 and given == 1:
            inputs = inputs.expand(-1, 3, -1, -1)
        elif wanted != given:
            raise InterpretError(f"the network takes pictures of {wanted} channels, not of {given}")
        first = next((p for p in self.network.parameters() if p.is_floating_point()), self.mean)
        scaled = (inputs - self.mean.to(inputs.dtype)) / self.std.to(inputs.dtype)
        return scaled.contiguous().to(first.dtype)  # since some networks view what they compute as rows

    def on_inputs(self) -> Self:
        """The same classifier for pictures that already lie on the network's input grid."""
        if self.input_size is None:
            return self
        mean, std = self.mean.flatten().tolist(), self.std.flatten().tolist()
        same = type(self)(self.network, mean=mean, std=std, labels=self.labels, precision=self.precision)
        same.mean, same.std = self.mean, self.std
        same.training = self.training  # a new module would claim to be in training
        return same

    @property
    def preprocessing(self) -> dict[str, Any]:
        """What happens to a picture before the network sees it, and in which arithmetic; JSON can hold it."""
        return {
            "mean": self.mean.flatten().tolist(),
            "std": self.std.flatten().tolist(),
            "input_size": self.input_size and list(self.input_size),
            "resize": self.resize,
            "interpolation": self.interpolation,
            "precision": self.precision,
        }

    def identity(self) -> dict[str, Any]:
        """The exact weights and the preprocessing, on which every result depends.

        Caches, indices and resumed runs keep it with a result, so that it is only used for the same classifier.
        """
        return {"weights_hash": fingerprint(self.network), "preprocessing": self.preprocessing}

    def predict(self, images: Tensor) -> Tensor:
        """The classes (N,) with the highest logits, for images (N, C, H, W) in [0, 1]."""
        with left_as_found(self, images.device), torch.no_grad():
            return self(images).argmax(1)

    def name(self, index: int) -> str:
        """The name of a class, or its number where it has none."""
        return self.labels[index] if self.labels is not None and index < len(self.labels) else str(index)

    def find(self, query: str | int, images: Tensor) -> Tensor:
        """The class that a name means; for a group such as "dog", the member that each image scores highest.

        Args:
            query: an index, a name, a synonym, a WordNet id, or a group of classes.
            images: (N, C, H, W) in [0, 1].

        Returns:
            (N,) class indices.

        Raises:
            UnknownNameError: nothing has that name; the message lists the close ones.
        """
        with left_as_found(self, images.device), torch.no_grad():
            labels = self.labels if self.labels is not None else Labels(map(str, range(self(images).shape[1])))
            indices = torch.tensor(labels.find(query).indices, device=images.device)
            if len(indices) == 1:
                return indices.expand(len(images))
            return indices[self(images)[:, indices].argmax(1)]


def checked_precision(name: str) -> str:
    """The name of a precision; InterpretError if there is no such precision."""
    if name not in PRECISIONS:
        raise InterpretError(f"precision is one of {', '.join(PRECISIONS)}, not {name!r}")
    return name


def _are_probabilities(output: Tensor) -> Tensor:
    """(N, 1) booleans: whether each row of (N, classes) is the output of a softmax: none below 0, and a sum of 1.

    Each picture is judged alone, so that its logits do not depend on the others in its batch.
    """
    tolerance = SUM_TOLERANCE.get(output.dtype, 1e-4)
    total = output.sum(1, keepdim=True, dtype=torch.promote_types(output.dtype, torch.float32))
    return (output >= 0).all(1, keepdim=True) & ((total - 1).abs() < tolerance) & (output.shape[1] > 1)


def _same_values(given: object, output: Tensor) -> bool:
    """Whether two tensors are the same, or views of all of the same values."""
    return given.numel() == output.numel() and given.data_ptr() == output.data_ptr()


def on_input_grid(classifier: nn.Module, images: Tensor) -> tuple[nn.Module, Tensor, Geometry | None]:
    """The classifier for pictures on its input grid, the images laid on that grid, and the geometry of this.

    Images with other than four dimensions are no pictures: they are the input as they are, and have no geometry.
    """
    if isinstance(classifier, Classifier):
        return classifier.on_inputs(), *classifier.prepare(images)
    return classifier, images, fit(tuple(images.shape[-2:]), None) if images.dim() == 4 else None


def network_of(classifier: nn.Module) -> nn.Module:
    """The network inside a Classifier, or else the module itself: its layers are those that users name."""
    return classifier.network if isinstance(classifier, Classifier) else classifier


def layer_of(classifier: nn.Module, inputs: Tensor, layer: str | None) -> str:
    """The layer asked for, or else the last feature map."""
    return layer or default_layer(network_of(classifier), inputs, classifier)


def laid_out(classifier: nn.Module, inputs: Tensor, *layers: str) -> dict[str, Layout]:
    """The layouts of those of some layers that hold a map of inputs (N, C, h, w) on the input grid."""
    return layouts_of(network_of(classifier), inputs, layers, classifier)
