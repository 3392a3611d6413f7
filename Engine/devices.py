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


def supports_bf16(device_type: str) -> bool:
    """Whether matrix products in bf16 are fast on this device."""
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def computes_in_bf16(precision: str, device: torch.device) -> bool:
    """Whether a network runs in bf16 at inference: as asked for, or where that is fast."""
    return supports_bf16(device.type) if precision == "auto" else precision == "bf16"
