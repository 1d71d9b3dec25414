# Made by `python -m tests.typing.stubs`.
from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from . import calibration_error as calibration_error
from . import classifier as classifier
from . import concepts as concepts
from . import corruptions as corruptions
from . import datasets as datasets
from . import drawing as drawing
from . import errors as errors
from . import explainers as explainers
from . import faithfulness as faithfulness
from . import figures as figures
from . import gradient_check as gradient_check
from . import images as images
from . import labels as labels
from . import models as models
from . import network as network
from . import notebook as notebook
from . import output_scores as output_scores
from . import predictions as predictions
from . import report as report
from . import scores as scores
from . import single_label as single_label
from . import unit_scores as unit_scores
from . import units as units
from .calibration_error import calibration as calibration
from .classifier import Classifier as Classifier
from .concepts.craft import craft as craft
from .concepts.tcav import tcav as tcav
from .corruptions import CORRUPTIONS as CORRUPTIONS
from .corruptions.corrupt import corrupt as corrupt
from .datasets.batches import batches as batches
from .datasets.dataset import Dataset as Dataset
from .datasets.dataset import mean_and_std as mean_and_std
from .datasets.dataset import split as split
from .datasets.folders import class_index as class_index
from .datasets.folders import labelled_files as labelled_files
from .datasets.folders import labelled_pictures as labelled_pictures
from .datasets.named import has_test as has_test
from .datasets.named import open_dataset as open_dataset
from .drawing.deep_dream import dream as dream
from .drawing.expressions import objective_of as objective_of
from .drawing.feature_visualization import visualize as visualize
from .drawing.inversion import invert as invert
from .drawing.style_transfer import style as style
from .errors import InterpretError as InterpretError
from .errors import NetworkError as NetworkError
from .errors import PictureError as PictureError
from .errors import UnknownNameError as UnknownNameError
from .explainers import EXPLAINERS as EXPLAINERS
from .explainers.absent_classes import absence as absence
from .explainers.aggregation import combined as combined
from .explainers.blank_maps import diagnose as diagnose
from .explainers.contract import explainer as explainer
from .explainers.smoothing import smoothed as smoothed
from .faithfulness.average_drop import average_drop as average_drop
from .faithfulness.average_increase import average_increase as average_increase
from .faithfulness.deletion import deletion as deletion
from .faithfulness.infidelity import infidelity as infidelity
from .faithfulness.insertion import insertion as insertion
from .faithfulness.max_sensitivity import max_sensitivity as max_sensitivity
from .faithfulness.pointing_game import pointing_game as pointing_game
from .faithfulness.ranking import rank_methods as rank_methods
from .faithfulness.relevance_mass import relevance_mass as relevance_mass
from .faithfulness.road import road as road
from .faithfulness.sanity import sanity as sanity
from .figures.colours import colorize as colorize
from .figures.display import heatmap as heatmap
from .figures.display import limit_of as limit_of
from .figures.display import overlay as overlay
from .figures.display import own_colours as own_colours
from .figures.display import side_by_side as side_by_side
from .figures.figure_grid import grid as grid
from .figures.units import activations_figure as activations_figure
from .figures.units import crops_figure as crops_figure
from .figures.units import filters_figure as filters_figure
from .gradient_check import check_gradient as check_gradient
from .images.baselines import Baseline
from .images.files import read as read
from .images.files import write as write
from .images.given import Images
from .images.levels import from_levels as from_levels
from .images.levels import to_levels as to_levels
from .labels.label_files import read_labels as read_labels
from .labels.names import Labels as Labels
from .labels.names import imagenet as imagenet
from .models.architectures import NETWORKS as NETWORKS
from .models.architectures import build as build
from .models.fold_batchnorm import folded as folded
from .models.load import load as load
from .models.replace_layers import adapted as adapted
from .models.saved import Recipe as Recipe
from .models.saved import is_trained as is_trained
from .models.saved import load_trained as load_trained
from .models.saved import read_trained as read_trained
from .models.saved import save_trained as save_trained
from .network.hooks import find_layer as find_layer
from .network.recording import recorded as recorded
from .network.survey import default_layer as default_layer
from .notebook import load_ipython_extension as load_ipython_extension
from .output_scores import box as box
from .output_scores import output as output
from .output_scores import pixels as pixels
from .output_scores import similarity as similarity
from .predictions import predict as predict
from .report.make import report_page as report_page
from .scores import Target
from .scores import class_score as class_score
from .scores import contrast as contrast
from .scores import group as group
from .scores import log_probability as log_probability
from .single_label import one_label as one_label
from .unit_scores import unit as unit
from .units.activations import activation_maps as activation_maps
from .units.activations import first_filters as first_filters
from .units.activations import projection as projection
from .units.contributions import unit_contributions as unit_contributions
from .units.factors import factorize as factorize
from .units.receptive_field import receptive_field as receptive_field
from .units.top_activations import scan as scan
from .units.top_activations import strongest_crops as strongest_crops

__all__ = [
    "CORRUPTIONS",
    "Classifier",
    "Dataset",
    "EXPLAINERS",
    "InterpretError",
    "Labels",
    "NETWORKS",
    "NetworkError",
    "PictureError",
    "Recipe",
    "UnknownNameError",
    "ablationcam",
    "absence",
    "activation_maps",
    "activations_figure",
    "adapted",
    "attention_rollout",
    "average_drop",
    "average_increase",
    "batches",
    "box",
    "build",
    "calibration",
    "cam",
    "check_gradient",
    "class_index",
    "class_score",
    "colorize",
    "combined",
    "contrast",
    "corrupt",
    "craft",
    "crops_figure",
    "deconvnet",
    "deeplift",
    "default_layer",
    "deletion",
    "diagnose",
    "dream",
    "eigencam",
    "eigengradcam",
    "explainer",
    "factorize",
    "fem",
    "filters_figure",
    "find_layer",
    "finercam",
    "first_filters",
    "folded",
    "from_levels",
    "fullgrad",
    "gradcam",
    "gradcam_elementwise",
    "gradcam_plusplus",
    "gradient_shap",
    "grid",
    "group",
    "guided_backprop",
    "guided_gradcam",
    "has_test",
    "heatmap",
    "hirescam",
    "imagenet",
    "infidelity",
    "input_x_gradient",
    "insertion",
    "integrated_gradients",
    "invert",
    "is_trained",
    "kernel_shap",
    "kpcacam",
    "labelled_files",
    "labelled_pictures",
    "layercam",
    "legrad",
    "limit_of",
    "load",
    "load_ipython_extension",
    "load_trained",
    "log_probability",
    "lrp",
    "max_sensitivity",
    "mean_and_std",
    "objective_of",
    "occlusion",
    "one_label",
    "open_dataset",
    "output",
    "overlay",
    "own_colours",
    "pixels",
    "pointing_game",
    "predict",
    "projection",
    "rank_methods",
    "read",
    "read_labels",
    "read_trained",
    "receptive_field",
    "recorded",
    "relevance_mass",
    "report_page",
    "rise",
    "road",
    "saliency",
    "sanity",
    "save_trained",
    "scan",
    "scorecam",
    "shapleycam",
    "side_by_side",
    "similarity",
    "smoothed",
    "smoothgrad",
    "split",
    "strongest_crops",
    "style",
    "tcav",
    "to_levels",
    "transformer_attribution",
    "unit",
    "unit_contributions",
    "visualize",
    "write",
    "xgradcam",
]
__version__: str

def saliency(classifier: nn.Module, images: Images, target: Target | None = None) -> Tensor:
    """Which pixels the class score reacts to when they change by a little."""

def input_x_gradient(classifier: nn.Module, images: Images, target: Target | None = None) -> Tensor:
    """How much each pixel adds to the score, if the network were linear."""

def smoothgrad(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    samples: int = 25,
    noise: float = 0.15,
    average: Literal["plain", "squared", "variance"] = "plain",
    seed: int = 0,
    max_batch: int = 16,
) -> Tensor:
    """The gradient, averaged over noisy copies of the picture, so that its speckle cancels."""

def integrated_gradients(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    baseline: str | float | Tensor = "black",
    steps: int = 50,
    seed: int = 0,
    max_batch: int = 16,
) -> Tensor:
    """How much each pixel adds to the score on the way from nothing to the picture."""

def guided_backprop(classifier: nn.Module, images: Images, target: Target | None = None) -> Tensor:
    """Which pixels the class score reacts to, along paths that are positive all the way."""

def deconvnet(classifier: nn.Module, images: Images, target: Target | None = None) -> Tensor:
    """The pattern in the picture that the class score was made from, by running the network backwards."""

def cam(classifier: nn.Module, images: Images, target: Target | None = None) -> Tensor:
    """Where the last feature map adds to the class, read off the weights of the head."""

def gradcam(
    classifier: nn.Module, images: Images, target: Target | None = None, *, layer: str | None = None, relu: bool = True
) -> Tensor:
    """Where the features of one layer speak for the target class."""

def gradcam_plusplus(
    classifier: nn.Module, images: Images, target: Target | None = None, *, layer: str | None = None
) -> Tensor:
    """Where a layer speaks for the class, also where the class occurs several times."""

def xgradcam(
    classifier: nn.Module, images: Images, target: Target | None = None, *, layer: str | None = None
) -> Tensor:
    """Where a layer speaks for the class, with weights that add up to the score."""

def layercam(
    classifier: nn.Module, images: Images, target: Target | None = None, *, layer: str | None = None
) -> Tensor:
    """Where a layer speaks for the class, place by place, also in early layers."""

def hirescam(
    classifier: nn.Module, images: Images, target: Target | None = None, *, layer: str | None = None
) -> Tensor:
    """Where a layer adds to the class score, and where it takes from it."""

def eigencam(
    classifier: nn.Module, images: Images, target: Target | None = None, *, layer: str | None = None
) -> Tensor:
    """The strongest pattern of a layer, whatever the class."""

def scorecam(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    layer: str | None = None,
    baseline: str | float | Tensor = "mean",
    max_batch: int = 32,
) -> Tensor:
    """Where the channels of a layer lie that alone would make the class, without gradients."""

def ablationcam(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    layer: str | None = None,
    max_batch: int = 32,
) -> Tensor:
    """Where the channels of a layer lie without which the class score falls, without gradients."""

def gradcam_elementwise(
    classifier: nn.Module, images: Images, target: Target | None = None, *, layer: str | None = None
) -> Tensor:
    """Where a layer speaks for the class, each channel at each place by itself."""

def eigengradcam(
    classifier: nn.Module, images: Images, target: Target | None = None, *, layer: str | None = None
) -> Tensor:
    """The strongest pattern in what a layer adds to the class, place by place."""

def kpcacam(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    layer: str | None = None,
    kernel: Literal["sigmoid", "rbf", "poly", "linear"] = "sigmoid",
    gamma: float | None = None,
) -> Tensor:
    """The strongest pattern of a layer, whatever the class, also where it is curved."""

def fem(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    layer: str | None = None,
    sigmas: float = 2.0,
) -> Tensor:
    """Where the channels of a layer are unusually strong, whatever the class."""

def shapleycam(
    classifier: nn.Module, images: Images, target: Target | None = None, *, layer: str | None = None, rest: bool = True
) -> Tensor:
    """Where a layer speaks for the class, each channel by its Shapley value to second order."""

def finercam(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    layer: str | None = None,
    strength: float = 1.0,
    similar: int = 3,
    relu: bool = True,
) -> Tensor:
    """Where the features are that tell the class from those it is most easily taken for."""

def fullgrad(classifier: nn.Module, images: Images, target: Target | None = None) -> Tensor:
    """Which pixels and which biases of every layer the score is made of, laid over each other."""

def guided_gradcam(
    classifier: nn.Module, images: Images, target: Target | None = None, *, layer: str | None = None
) -> Tensor:
    """The fine detail of guided backpropagation, kept where Grad-CAM sees the class."""

def occlusion(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    window: int | None = None,
    stride: int | None = None,
    baseline: str | float | Tensor = "grey",
    max_batch: int = 32,
) -> Tensor:
    """How far the score falls when a window slides over the picture and hides what is below."""

def rise(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    masks: int = 1000,
    cells: int = 7,
    keep: float = 0.5,
    seed: int = 0,
    max_batch: int = 32,
) -> Tensor:
    """Which pixels have to be visible for the class to be recognised, from random masks."""

def deeplift(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    baseline: str | float | Tensor | Sequence[Baseline] = "black",
    rule: Literal["rescale", "reveal-cancel"] = "rescale",
    seed: int = 0,
) -> Tensor:
    """How much each pixel adds to the score compared with a baseline, call by call."""

def gradient_shap(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    baseline: str | float | Tensor | Sequence[Baseline] = "black",
    samples: int = 25,
    noise: float = 0.05,
    seed: int = 0,
) -> Tensor:
    """How much each pixel adds to the score, from gradients at random points on the way to the picture."""

def kernel_shap(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    pieces: int = 50,
    samples: int = 500,
    baseline: str | float | Tensor = "grey",
    seed: int = 0,
    max_batch: int = 32,
) -> Tensor:
    """How much each piece of the picture adds to the score, from which pieces are shown at random."""

def lrp(
    classifier: nn.Module,
    images: Images,
    target: Target | None = None,
    *,
    composite: Literal[
        "epsilon",
        "epsilon-plus",
        "epsilon-plus-flat",
        "epsilon-alpha2-beta1",
        "epsilon-alpha2-beta1-flat",
        "epsilon-gamma-box",
        "epsilon-gamma-wsquare",
        "attnlrp",
    ] = "epsilon-plus-flat",
    epsilon: float = 1e-06,
    gamma: float = 0.25,
) -> Tensor:
    """How much each pixel adds to the score, handed down from layer to layer."""

def attention_rollout(classifier: nn.Module, images: Images, target: Target | None = None) -> Tensor:
    """Which patches the tokens that the class is read off have taken from, whatever the class."""

def transformer_attribution(classifier: nn.Module, images: Images, target: Target | None = None) -> Tensor:
    """Which patches speak for the class, by the attention whose growth would raise its score."""

def legrad(classifier: nn.Module, images: Images, target: Target | None = None) -> Tensor:
    """Which patches the class score would gain from if they were attended to more, in every block."""

def __dir__() -> list[str]: ...
