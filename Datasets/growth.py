"""Lengths of infants and children by age.

Medians of both sexes, crown to heel: Fenton and Kim (2013) before term, the WHO growth standards
to five years, the WHO reference to eighteen.
"""

from __future__ import annotations

import numpy as np

WEEKS_PER_YEAR = 365.25 / 7
LENGTH_SPREAD = 0.042
"""Standard deviation of the length of one age over its median."""

_MEDIANS = np.array(
    [[-16, 0.32], [-12, 0.37], [-8, 0.42], [-4, 0.465], [0, 0.495]]
    + [
        [WEEKS_PER_YEAR * years, metres]
        for years, metres in (
            *((1 / 12, 0.542), (2 / 12, 0.578), (0.25, 0.606), (4 / 12, 0.630), (5 / 12, 0.649)),
            *((0.5, 0.667), (0.75, 0.711), (1, 0.749), (1.5, 0.815), (2, 0.868), (3, 0.956)),
            *((5, 1.097), (8, 1.270), (10, 1.380), (12, 1.500), (15, 1.655), (18, 1.697)),
            *((60, 1.69), (90, 1.64)),
        )
    ]
)
"""Weeks since term, and median length in metres."""


def median_length_m(age_weeks: float) -> float:
    """Median crown-heel length of an age; weeks since term, corrected for preterm birth.

    >>> [round(median_length_m(weeks), 3) for weeks in (-16, 0, 26)]
    [0.32, 0.495, 0.667]
    """
    return float(np.interp(age_weeks, *_MEDIANS.T))
