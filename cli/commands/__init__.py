"""The commands that are not explainers, one a file."""

from .check_gradient import check_gradient
from .classes import classes
from .completion import completion
from .doctor import doctor
from .layers import layers
from .methods import methods
from .models import models
from .predict import predict
from .samples import samples

COMMANDS = (predict, check_gradient, models, layers, classes, methods, samples, doctor, completion)
