"""The recipe ``generate``: fresh data for the stages of a chain that come after it."""

from __future__ import annotations

from pathlib import Path

from Datasets.profiles import BANK_OPTIONS, generate, profile_named
from Datasets.selection import parse_shares
from Engine.errors import DataError
from PoseEstimation.stage_settings import GenerateSettings


def generate_data(settings: GenerateSettings, output: Path) -> dict[str, int]:
    """Write videos, photos or a movement bank; a run that was stopped begins anew.

    Returns:
        Number of ``infants`` (sequences, subjects or pictures) and, of videos, of ``frames``.

    Raises:
        DataError: an unknown profile or a benchmark, or files that cannot be used.
    """
    profile, count = profile_named(settings.profile), settings.infants
    if profile.benchmark:
        raise DataError(f"generate: '{profile.name}' is a benchmark; train on another profile")
    options = {name: getattr(settings, name) for name in ("fps", *BANK_OPTIONS)}
    options["sources"] = parse_shares(settings.sources)
    names = tuple(f"{number:04d}" for number in range(1, count + 1))
    generate(
        profile,
        output,
        names if profile.named else count,
        settings.frames,
        settings.seed,
        settings.workers,
        **options,
    )
    made = {"infants": count}
    return made | ({"frames": count * settings.frames} if profile.frames else {})
