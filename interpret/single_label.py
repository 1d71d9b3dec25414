"""One label of a network of several as a classifier of its own, of two classes: the label holds, or it does not."""

from torch import Tensor, nn

from .classifier import Classifier
from .errors import InterpretError


class OneLabel(nn.Module):
    """The log-odds (N, 1) of one label, from inputs as the network itself takes them."""

    def __init__(self, classifier: Classifier, index: int) -> None:
        super().__init__()
        self.network = classifier.network
        self._logits, self.index = classifier.logits_of_network, index  # a method, so that no module is held twice

    def forward(self, inputs: Tensor) -> Tensor:
        """The label's log-odds."""
        logits = self._logits(inputs)
        if self.index >= logits.shape[1]:
            raise InterpretError(f"there is no label {self.index}; the network has {logits.shape[1]}")
        return logits[:, self.index : self.index + 1]


def one_label(classifier: Classifier, label: int | str) -> Classifier:
    """One label of a network of several, as a classifier of two classes, which attacks and verdicts can take.

    The labels of such a network do not exclude each other, so "another label wins" is no way to be fooled. Class 1 is
    that the label holds, with the label's own probability, and class 0 that it does not.

    Args:
        classifier: the network of several labels.
        label: its index, or its name.

    Returns:
        The classifier of the two classes "no LABEL" and LABEL, which shares the network and the preprocessing.

    Raises:
        UnknownNameError: no such label.
        InterpretError: a name for several labels, or a network for regression.
    """
    if classifier.task == "regression":
        raise InterpretError("a network for regression has no labels: nothing holds or does not")
    if classifier.labels is not None:
        found = classifier.labels.find(label).indices
        if len(found) != 1:
            raise InterpretError(f"{label!r} is {len(found)} labels; name one of them")
        label = found[0]
    if not str(label).isdigit():
        raise InterpretError(f"the network's labels have no names, so {label!r} means nothing; give its index")
    name = classifier.name(int(label))
    same = Classifier(
        OneLabel(classifier, int(label)),
        mean=classifier.mean.flatten().tolist(),
        std=classifier.std.flatten().tolist(),
        labels=[f"no {name}", name],
        input_size=classifier.input_size,
        resize=classifier.resize,
        interpolation=classifier.interpolation,
        precision=classifier.precision,
    )
    same.mean, same.std, same.crop, same.tile = classifier.mean, classifier.std, classifier.crop, classifier.tile
    return same.train(classifier.training)


def of_top_label(classifier: Classifier, image: Tensor) -> Classifier:
    """The classifier itself; of several labels, that of the one which a picture (1, C, H, W) scores highest."""
    if "task" not in classifier.seen_task and classifier.given_task is None:
        classifier.predict(image)  # the first pass tells
    return one_label(classifier, int(classifier.predict(image))) if classifier.task == "multilabel" else classifier
