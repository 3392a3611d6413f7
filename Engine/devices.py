"""What the machine computes on, and in which precision."""

from __future__ import annotations

import torch

from Engine.errors import DataError


def choose_device(device: str) -> torch.device:
    """Resolve ``auto`` to CUDA when there is one, else the CPU.

    Raises:
        DataError: the device does not exist here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    exists = {"cpu": True, "cuda": torch.cuda.is_available()}
    exists["mps"] = torch.backends.mps.is_available()
    if not exists.get(device, False):
        raise DataError(f"device: '{device}' is not available here; use auto or cpu")
    return torch.device(device)


def computes_in_bf16(precision: str, device: torch.device) -> bool:
    """Whether to compute in bf16.

    Args:
        precision: ``auto``, which is bf16 where matrix products in it are fast; a name that begins
            with ``bf16``; or another.
        device: to compute on.
    """
    if precision != "auto":
        return precision.startswith("bf16")
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
