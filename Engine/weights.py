"""Weights on disk: fp16 safetensors with their description in the header, never a pickle."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from Engine.errors import DataError
from Engine.files import replacing
from Engine.provenance import file_sha256

HEADER_LIMIT = 64 * 1024 * 1024
"""Largest accepted safetensors header in bytes; a real one here is a few hundred kilobytes."""

_METADATA_KEY = "infantpose"


def save_weights(path: Path, state_dict: dict[str, Tensor], metadata: dict[str, Any]) -> str:
    """Write weights as fp16 (integers stay as they are) with JSON metadata in the header.

    Args:
        path: the file to write; its folder is made.
        state_dict: tensors by name.
        metadata: JSON-able description: model, config, codec, skeleton.

    Returns:
        The sha256 of the file.

    Raises:
        ValueError: a weight is not finite in fp16.
    """
    tensors = {}
    for name, tensor in state_dict.items():
        half = tensor.detach().cpu()
        half = half.to(torch.float16) if half.is_floating_point() else half
        if half.is_floating_point() and not torch.isfinite(half).all():
            raise ValueError(f"weight {name} is not finite in fp16")
        tensors[name] = half.contiguous().clone()
    write_safetensors(Path(path), tensors, metadata)
    return file_sha256(path)


def load_weights(path: Path, sha256: str | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read weights as float32 with their metadata.

    Args:
        path: a file written by ``save_weights``.
        sha256: expected digest of the file, checked when given.

    Raises:
        DataError: missing, another digest, a pickle or zip, truncated, or not safetensors.
    """
    path = Path(path)
    check_safetensors(path)
    if sha256 is not None and (found := file_sha256(path)) != sha256:
        raise DataError(
            f"{path}: sha256 is {found[:12]}..., expected {sha256[:12]}...: "
            "the file is damaged or another version; fetch it again"
        )
    tensors, metadata = read_safetensors(path)
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, metadata


def load_initial(network: nn.Module, path: Path | None) -> None:
    """Start a network from earlier weights; outputs that those lack keep their own start.

    Raises:
        DataError: the weights are of another shape.
    """
    if path is None:
        return
    state, _ = load_weights(path)
    own = network.state_dict()
    try:
        network.load_state_dict({key: _grown(value, own.get(key)) for key, value in state.items()})
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(
            f"{path}: does not fit the network; choose its settings alike ({reason})"
        ) from None


def check_safetensors(path: Path) -> None:
    """Look at a file's first bytes before anything parses it.

    Raises:
        DataError: missing, a pickle or zip, truncated, or not safetensors.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such weights file; train one, or restore it")
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(9)
    length = struct.unpack("<Q", start[:8])[0] if len(start) == 9 else 0
    if len(start) == 9 and start[8:] == b"{" and length <= HEADER_LIMIT:
        if 8 + length > size:
            raise DataError(f"{path}: the file is truncated ({size} bytes); fetch it again")
        return
    if start[:2] == b"PK" or (start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05"):
        raise DataError(
            f"{path}: a pickle or zip file, which could run code when opened; "
            "only .safetensors weights are read"
        )
    raise DataError(f"{path}: not a safetensors file; give weights written by infantpose")


def write_safetensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors with JSON metadata in the header, whole or not at all.

    Raises:
        WriteError: see ``Engine.files.replacing``.
    """
    with replacing(path) as temporary:
        try:
            save_file(tensors, temporary, {_METADATA_KEY: json.dumps(metadata)})
        except SafetensorError as error:
            raise OSError(str(error)) from error


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and metadata as they were written.

    Raises:
        DataError: the file cannot be read.
    """
    with _opened(path) as (file, metadata):
        return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118


def read_metadata(path: Path) -> dict[str, Any]:
    """Read only the metadata of a safetensors file.

    Raises:
        DataError: the file cannot be read.
    """
    with _opened(path) as (_, metadata):
        return metadata


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A safetensors file and its metadata; any error becomes one line."""
    check_safetensors(path)
    try:
        with safe_open(path, framework="pt") as file:
            yield file, json.loads((file.metadata() or {}).get(_METADATA_KEY, "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: damaged or truncated ({reason}); fetch it again") from error


def _grown(given: Tensor, own: Tensor | None) -> Tensor:
    """Rows of further outputs, which the network has and the file lacks, put after the given."""
    if own is None or given.ndim == 0 or given.shape[1:] != own.shape[1:]:
        return given
    return torch.cat([given, own[len(given) :].to(given)])
