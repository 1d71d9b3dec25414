"""The commands that are not explainers, one a file."""

from .activations import activations
from .attack import attack
from .check_gradient import check_gradient
from .classes import classes
from .completion import completion
from .doctor import doctor
from .dream import dream
from .evaluate import evaluate
from .filters import filters
from .grid import grid
from .invert import invert
from .layers import layers
from .methods import methods
from .models import models
from .predict import predict
from .samples import samples
from .style import style
from .top_activations import top_activations
from .train import train
from .visualize import visualize

COMMANDS = (
    predict,
    grid,
    filters,
    activations,
    top_activations,
    check_gradient,
    models,
    layers,
    classes,
    methods,
    samples,
    visualize,
    dream,
    style,
    invert,
    attack,
    evaluate,
    train,
    doctor,
    completion,
)
