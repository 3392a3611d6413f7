"""How networks are called: arrays in, named arrays out, whatever runs them.

A backend holds one network and everything that belongs to the machine: the device, the precision,
the memory layout. Preparation of images and decoding of outputs stay with the caller.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from Engine.images import as_input

Arrays = dict[str, np.ndarray]


@runtime_checkable
class Backend(Protocol):
    """Runs one network."""

    def __call__(self, *inputs: np.ndarray) -> Arrays:
        """Compute the network's outputs, by name.

        Args:
            inputs: arrays with the batch axis first; images are uint8 (batch, 3, height, width).
        """
        ...


class TorchBackend:
    """Runs a PyTorch module.

    Args:
        network: takes tensors: images as RGB in 0 to 1, anything else as it is given.
        device: to compute on.
        outputs: names of what the network returns, in order; a dataclass names its own fields.
        bf16: compute in bfloat16 where PyTorch's autocast finds it safe.
    """

    def __init__(
        self,
        network: nn.Module,
        device: torch.device | str = "cpu",
        outputs: Sequence[str] = ("output",),
        bf16: bool = False,
    ) -> None:
        self.network, self.device = network.to(device).eval(), torch.device(device)
        if any(p.dim() == 4 for p in network.parameters()):
            network.to(memory_format=torch.channels_last)
        self._outputs, self._bf16 = tuple(outputs), bf16

    def __call__(self, *inputs: np.ndarray) -> Arrays:
        """See ``Backend``."""
        cast = torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16)
        with torch.inference_mode(), cast:
            outputs = self.network(*map(self._tensor, inputs))
        named = _named(outputs, self._outputs)
        return {name: value.float().cpu().numpy() for name, value in named}

    def _tensor(self, values: np.ndarray) -> Tensor:
        tensor = torch.as_tensor(values, device=self.device)
        if tensor.dtype != torch.uint8:
            return tensor
        return as_input(tensor)


def _named(outputs: Any, names: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
    """Tensors of a network's output with their names; what is None or empty is left out."""
    if dataclasses.is_dataclass(outputs):
        fields = [(f.name, getattr(outputs, f.name)) for f in dataclasses.fields(outputs)]
    elif isinstance(outputs, Mapping):
        fields = list(outputs.items())
    else:
        values = outputs if isinstance(outputs, tuple | list) else (outputs,)
        fields = list(zip(names, values, strict=True))
    yield from ((name, value) for name, value in fields if isinstance(value, Tensor))
