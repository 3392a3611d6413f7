"""What all tests share: property tests that repeat exactly, and one thread per test worker."""

import os

from hypothesis import settings

# set before torch and NumPy are imported: several workers with all cores each slow one another down
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("repeatable")
