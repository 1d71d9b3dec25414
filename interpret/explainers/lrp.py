"""Layer-wise relevance propagation (Bach et al. 2015, https://doi.org/10.1371/journal.pone.0130140), by captum."""

from torch import Tensor, nn

from ..classifier import Classifier, network_of
from ..geometry import Geometry
from ..scores import Target
from .contract import explainer
from .from_captum import check_activations, check_joins, copied, refused_in_one_line, target_classes


@explainer(Geometry.spread)
def lrp(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """How much each pixel adds to the score, handed down from layer to layer without losing any.

    The epsilon rule (section "Pixel-wise decomposition for multilayer networks"). captum has rules
    for linear, convolution, pooling, batch norm, dropout and ReLU modules, each used once, and refuses
    networks with anything else; AlexNet, VGG and SqueezeNet can be explained.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image.

    Returns:
        (N, 3, H, W) relevance of the normalised input, signed, in units of the logit.

    Raises:
        NetworkError: captum cannot explain this network; the message says what stands in the way.
    """
    from captum.attr import LRP

    check_activations(classifier, images, (nn.ReLU,), "LRP")
    check_joins(classifier, images, ("Add", "Sub", "Mul", "Div"), "LRP")
    with refused_in_one_line("LRP"):
        inputs = classifier.normalise(images) if isinstance(classifier, Classifier) else images
        classes = target_classes(classifier, images, target, "LRP")
        return LRP(network_of(copied(classifier))).attribute(inputs.detach().requires_grad_(), target=classes)
