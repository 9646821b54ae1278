"""transformers, imported in the one way that works with every build of torchvision.

Everything here takes `transformers` from this module.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from corteval_pytorch import declare_torchvision_operators

# transformers imports torchvision, which must find its operators, or at least their declarations
declare_torchvision_operators()

#: Any, since half of its functions have no types.
transformers: Any = import_module("transformers")
