"""Any torch module as a subject: one pass, streamed to the store, whatever is asked of it."""

from corteval_pytorch.commit import commit, default_device
from corteval_pytorch.imagenet import imagenet_categories, imagenet_logits
from corteval_pytorch.network import Network, Windowed
from corteval_pytorch.noise import expand_trials, normal_like, presentation_seeds
from corteval_pytorch.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from corteval_pytorch.reduction import PrincipalComponents, SparseProjection
from corteval_pytorch.torchvision_operators import declare_torchvision_operators
from corteval_pytorch.weights import (
    convert_checkpoint,
    given_weights,
    initialised,
    load_state,
    load_weights,
)

__version__ = "0.1.0"

__all__ = [
    "commit",
    "Preprocessing",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "SparseProjection",
    "PrincipalComponents",
    "Network",
    "Windowed",
    "normal_like",
    "expand_trials",
    "presentation_seeds",
    "initialised",
    "load_weights",
    "load_state",
    "convert_checkpoint",
    "given_weights",
    "default_device",
    "imagenet_logits",
    "imagenet_categories",
    "declare_torchvision_operators",
]
