"""How much each unit of a layer adds to a score: activation times gradient, conductance, integrated gradients."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..bounds import check_bounds
from ..classifier import network_of, on_input_grid
from ..errors import InterpretError
from ..explainers.contract import target_given
from ..explainers.passes import passes
from ..images.baselines import baseline_for
from ..images.given import Images, images_given
from ..layer_outputs import laid_out, layer_of, map_in, runner
from ..network.autograd import gradient
from ..network.gradient_path import path_told
from ..network.hooks import left_as_found
from ..network.recording import Recording, edited, recorded
from ..scores import Target, answer, score_in, target_of

Method = Literal["conductance", "input-x-gradient", "integrated-gradients"]


def unit_contributions(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    layer: str | None = None,
    method: Method = "conductance",
    baseline: str | float | Tensor = "black",
    steps: int = 50,
    max_batch: int = 16,
) -> Tensor:
    """How much each unit of a layer adds to a score.

    "conductance" (Dhamdhere et al. 2018, https://arxiv.org/abs/1805.12233) follows the pictures from a baseline and
    adds up, step by step, how far each unit moves times the gradient by it; over all units that is how far the
    score rises. "input-x-gradient" is the activation times the gradient. "integrated-gradients" takes the mean
    gradient on the straight way from what the layer gives for the baseline. They are captum's
    LayerConductance (by its method "riemann_trapezoid"), LayerGradientXActivation and LayerIntegratedGradients.

    Args:
        classifier: the classifier to explain.
        images: (N, C, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score; by default the top prediction.
        layer: the layer's name; the last feature map by default.
        method: one of the three.
        baseline: black, white, grey, mean, blur, uniform or a number; or a tensor on the network's input grid.
        steps: on the way from the baseline; for "input-x-gradient" there is none.
        max_batch: passes at once; fewer if memory runs out.

    Returns:
        (N, K, u, v), signed, in units of the score, of each channel at each place; (N, K, 1, 1) for vectors.

    Raises:
        UnknownNameError: no such layer.
        InterpretError: the layer's output is neither a map nor a vector.
        NetworkError: the score does not depend on the layer.
    """
    check_bounds("unit_contributions", {"steps": steps, "max_batch": max_batch})
    if method not in METHODS:
        raise InterpretError(f"no method {method!r}; there are {', '.join(METHODS)}")
    images = images_given(classifier, images)
    with left_as_found(classifier, images.device):
        view, inputs, geometry = on_input_grid(classifier, images.detach())
        target = target_given(view, inputs, target, geometry)
        probe = ScoredLayer(view, inputs, layer_of(view, inputs, layer), target)
        with path_told(network_of(view), inputs, runner(view), lambda: probe.name):
            return _contributions(probe, inputs, method, baseline_for(baseline, classifier, inputs), (steps, max_batch))


class Passed(NamedTuple):
    """What a layer gave, and the gradient of the scores by that; both (N, K, u, v)."""

    values: Tensor
    slopes: Tensor


class ScoredLayer:
    """A layer of a classifier, and a score that is made of what it gives."""

    def __init__(self, view: nn.Module, inputs: Tensor, name: str, target: Target) -> None:
        self.view, self.name, self.target = view, name, target
        self.layouts = laid_out(view, inputs, name)

    def passed(self, inputs: Tensor, rows: Tensor | None = None) -> Passed:
        """One pass of inputs (M, C, h, w), whose targets are those of some rows."""
        with recorded(network_of(self.view), self.name, cut=True, layouts=self.layouts) as recording:
            slopes = self._slopes(inputs, rows, recording)
        self.call = recording.call(self.name)
        return Passed(*(self._as_map(inputs, values.detach()) for values in (recording[self.name], slopes)))

    def replaced(self, inputs: Tensor, rows: Tensor, values: Tensor) -> Tensor:
        """The gradient (M, K, u, v) where the layer gives values (M, K, u, v) for inputs (M, C, h, w)."""
        network = network_of(self.view)

        def edit(output: Tensor) -> Tensor:
            return values.reshape(output.shape).to(output.dtype)

        # The edit comes first, so that what is recorded is what was put there.
        with (
            edited(network, self.call, edit, self.layouts.get(self.name)),
            recorded(network, self.name, cut=True, layouts=self.layouts) as recording,
        ):
            return self._as_map(inputs, self._slopes(inputs, rows, recording).detach())

    def _slopes(self, inputs: Tensor, rows: Tensor | None, recording: Recording) -> Tensor:
        target = self.target if rows is None else target_of(self.target, rows)
        score = score_in(self.view, answer(self.view, inputs, target), target, len(inputs))
        return gradient(score, recording[self.name])

    def _as_map(self, inputs: Tensor, values: Tensor) -> Tensor:
        return values if self.name in self.layouts else map_in(self.view, inputs, self.name, values)


def _contributions(layer: ScoredLayer, inputs: Tensor, method: str, start: Tensor, work: tuple[int, int]) -> Tensor:
    found = layer.passed(inputs)  # which also refuses before many passes
    return found.values * found.slopes if METHODS[method] is None else METHODS[method](layer, inputs, start, *work)


def _conductance(layer: ScoredLayer, inputs: Tensor, start: Tensor, steps: int, max_batch: int) -> Tensor:
    places = torch.linspace(0, 1, steps + 1).to(inputs)

    def run(rows: Tensor, numbers: Tensor) -> Tensor:
        place = places[numbers].view(-1, *[1] * (inputs.dim() - 1))
        return torch.stack(layer.passed(start[rows] + place * (inputs[rows] - start[rows]), rows), 1)

    total, before = {}, {}
    for image, step, found in _work(run, inputs, steps + 1, max_batch, "conductance"):
        if step:
            total[image] = total.get(image, 0) + (found[0] - before[image][0]) * before[image][1]
        before[image] = found
    return torch.stack([total[image] for image in range(len(inputs))])


def _integrated(layer: ScoredLayer, inputs: Tensor, start: Tensor, steps: int, max_batch: int) -> Tensor:
    places, shares = (values / 2 for values in np.polynomial.legendre.leggauss(steps))
    places = torch.from_numpy(places + 0.5).to(inputs)
    end, begin = layer.passed(inputs).values, layer.passed(start).values

    def run(rows: Tensor, numbers: Tensor) -> Tensor:
        place = places[numbers].view(-1, 1, 1, 1)
        return layer.replaced(inputs[rows], rows, begin[rows] + place * (end[rows] - begin[rows]))

    mean = torch.zeros_like(end)
    for image, step, slope in _work(run, inputs, steps, max_batch, "integrated gradients"):
        mean[image] += shares[step] * slope
    return (end - begin) * mean


def _work(
    run: Callable[[Tensor, Tensor], Tensor], inputs: Tensor, count: int, max_batch: int, what: str
) -> Iterator[tuple[int, int, Tensor]]:
    return passes(run, len(inputs), count, max_batch=max_batch, what=what, device=inputs.device)


METHODS = {"conductance": _conductance, "input-x-gradient": None, "integrated-gradients": _integrated}
