"""A classifier: preprocessing, network and labels in one module that takes pixels to logits."""

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from .errors import InterpretError, shortened
from .geometry import Geometry, Tiles, fit, tiles_over
from .labels.names import Labels
from .network import settings
from .network.batch_statistics import each_alone
from .network.channels import normalised
from .network.endings import Ending
from .network.fingerprint import fingerprint
from .network.hooks import left_as_found
from .network.outputs import logits_in, picked, read_logits, top_outputs, watched
from .network.refused_inputs import refusals_told


class Classifier(nn.Module):
    """A trained network together with the preprocessing it expects and the names of its classes.

    Called on images (N, C, H, W) of any size in [0, 1], it gives logits (N, classes). Resize, centre crop and
    normalisation are inside and differentiable, so gradients come back on the picture's own pixels.

    What the outputs mean is the ``task``: one class of several (softmax), labels of which each holds or not (sigmoid),
    or numbers in a unit of their own. By default the calls that the network ends in tell; tests are in tests/interpret.

    ====================================  ==========================================================  ==================
    the network returns                   what comes                                                  test
    ====================================  ==========================================================  ==================
    outputs, bare or behind a softmax     classes: the outputs, or what goes into the softmax         test_heads
    several sigmoids, module or function  labels: what goes into them; the task is "multilabel"       test_heads
    one output, bare or behind a sigmoid  the log-odds of the second of two classes                   test_heads
    one output of tanh, ReLU, exp, ...    refused, unless the task is "regression"                    test_heads
    in [0, 1], but by no sigmoid seen     refused, unless the task is said                            test_heads
    anything, for task "regression"       the outputs in their own unit, without probabilities        test_heads
    several tensors: a tuple, a dict      "logits", the only (N, classes), or ``output``; or refused  test_heads
    a map, or boxes                       for ``pixels``, ``box`` or a function of yours; or refused  test_output_scores
    more outputs than labels; NaN         refused                                                     test_heads
    (given images beyond [0, 1], NaN)     refused                                                     images/test_given
    ====================================  ==========================================================  ==================

    A network of one channel sees the luma of colours, one of three takes grey; ``interpret.network`` says the rest.

    Args:
        network: takes (N, C, h, w), normalised by ``mean`` and ``std``.
        mean: of each channel, in [0, 1].
        std: of each channel.
        labels: the names of the classes in order.
        input_size: height and width of the network's input, or one number for a square; None leaves
            the picture's size as it is.
        resize: length of the shorter side before the centre crop; by default as short as the crop allows.
        interpolation: of the resize: "bilinear", "bicubic" or "nearest".
        crop: what is seen of a picture: "centre", its middle; "none", all of it, squeezed into the input; "tiles", all
            of it, in overlapping parts of the input's size, whose logits are averaged and whose maps laid together.
        precision: of the network's arithmetic: "float32" leaves it to the weights; "bf16" and "fp16" are autocast, less
            exact, and faster on a GPU. Logits and gradients are float32 in any case.
        task: "classification", "multilabel" or "regression"; by default one of the first two, by the network's ending.
        output: which part of what the network returns holds the logits: a key, an attribute or a position.

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
        crop: str = "centre",
        precision: str = "float32",
        task: str | None = None,
        output: str | int | None = None,
    ) -> None:
        super().__init__()
        mean, std = settings.checked_statistics(mean, std)
        self.network = network
        self.training = network.training  # for who restores the mode of the whole, as torchattacks does
        self.labels = labels if labels is None or isinstance(labels, Labels) else Labels(labels)
        self.input_size = settings.checked_size(input_size, resize, interpolation)
        self.resize, self.interpolation = resize, interpolation
        self.crop, self.tile = settings.checked_crop(crop, self.input_size), self.input_size
        self.precision = settings.checked_precision(precision)
        self.given_task, self.output = settings.checked_task(task), output
        self.laid_on_grid = False  # whether pictures are a network's inputs, which overshoot [0, 1] a little
        self.seen_task: dict[str, Any] = {}  # what the last pass has told, which views share
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
        geometry = self.geometry_of(tuple(images.shape[-2:]))
        return geometry.apply(images), geometry

    def geometry_of(self, size: tuple[int, int]) -> Geometry:
        """Where the input grid lies on a picture of a size (height, width)."""
        return fit(size, self.input_size, self.resize, self.interpolation, crop=self.crop)

    def logits(self, inputs: Tensor) -> Tensor:
        """Logits (N, classes) of inputs (N, C, h, w) in [0, 1], as `prepare` gives them."""
        tiles = self.tiles_of(inputs)
        if tiles is None:
            return self.logits_of_network(self.normalise(inputs))
        # The mean of logits, not of probabilities: a score is then linear in its tiles', for every task.
        return tiles.mean(self.logits_of_network(self.normalise(tiles.cut(inputs))))

    def tiles_of(self, inputs: Tensor) -> Tiles | None:
        """The tiles that the network sees of inputs (N, C, h, w), if it does not see them as one."""
        return tiles_over(tuple(inputs.shape[-2:]), self.tile) if self.crop == "tiles" else None

    def logits_of_network(self, inputs: Tensor) -> Tensor:
        """Logits (N, classes) of inputs as the network itself takes them: normalised."""
        return self._read(*self._run(inputs), len(inputs))

    def answer(self, images: Tensor, *, whole: bool = False) -> Any:
        """The logits of images as for `forward`; where there are none, or with ``whole``, what the network returns."""
        inputs = self.prepare(images)[0]
        if self.tiles_of(inputs) is not None:
            if whole:
                raise InterpretError("the network sees a picture in tiles, which have no one output or map of a layer")
            return self.logits(inputs)
        made, ending = self._run(self.normalise(inputs))
        return made if whole or isinstance(logits_in(made), str) else self._read(made, ending, len(images))

    def _run(self, inputs: Tensor) -> tuple[Any, Ending | None]:
        """What the network returns, or the part of it that ``output`` picks, and the call that may have made it."""
        with settings.cast(self.precision, inputs.device), each_alone(self.network), refusals_told(inputs):
            return watched(lambda: picked(self.network(inputs), self.output), self.network, self.seen_task)

    def _read(self, made: object, ending: Ending | None, pictures: int) -> Tensor:
        known = {"task": self.given_task, "labels": self.labels, "network": self.network}
        logits, self.seen_task["task"] = read_logits(made, ending, pictures, **known)
        return logits

    def normalise(self, inputs: Tensor) -> Tensor:
        """What the network itself takes, made of inputs (N, C, h, w) in [0, 1]."""
        first = next((p for p in self.network.parameters() if p.is_floating_point()), self.mean)
        return normalised(inputs, self.mean, self.std).to(first.dtype)

    def on_inputs(self) -> Self:
        """The same classifier for pictures that already lie on the network's input grid."""
        return self if self.input_size is None else self._bare(self.crop)

    def on_tiles(self) -> Self:
        """The same classifier for single tiles, or for inputs that are none."""
        return self._bare("none")

    def _bare(self, crop: str) -> Self:
        mean, std = self.mean.flatten().tolist(), self.std.flatten().tolist()
        same = type(self)(self.network, mean=mean, std=std, labels=self.labels, precision=self.precision)
        same.given_task, same.output = self.given_task, self.output
        same.seen_task, same.laid_on_grid, same.crop, same.tile = self.seen_task, True, crop, self.tile
        same.mean, same.std, same.training = self.mean, self.std, self.training  # a new module is in training
        return same

    @property
    def task(self) -> str:
        """ "classification", "multilabel" or "regression": as it was given, or as the network's last pass has told."""
        return self.given_task or self.seen_task.get("task", "classification")

    def probabilities(self, logits: Tensor) -> Tensor:
        """The probability of each class, or of each label by itself, of logits (..., classes)."""
        if self.task == "regression":
            raise InterpretError("a network for regression gives numbers in their own unit, and no probabilities")
        return logits.sigmoid() if self.task == "multilabel" else logits.softmax(-1)

    def shown(self, logits: Tensor, index: int, space: str = " ") -> str:
        """One of logits (classes,) in words, such as "tabby 0.62" or, in regression, "age 37.1"."""
        number = f"{logits[index]:.4g}" if self.task == "regression" else f"{self.probabilities(logits)[index]:.2f}"
        return f"{shortened(self.name(index))}{space}{number}"

    @property
    def preprocessing(self) -> dict[str, Any]:
        """What happens to a picture before the network sees it, and in which arithmetic; JSON can hold it."""
        return settings.recorded(self)

    def __repr__(self) -> str:
        return settings.described(self)

    def identity(self) -> dict[str, Any]:
        """The exact weights and the preprocessing, with which caches, indices and resumed runs keep their results."""
        return {"weights_hash": fingerprint(self.network), "preprocessing": self.preprocessing}

    def predict(self, images: Tensor) -> Tensor:
        """The classes (N,) with the highest logits, for images (N, C, H, W) in [0, 1]."""
        with left_as_found(self, images.device), torch.no_grad():
            return top_outputs(self(images), self.task)

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
