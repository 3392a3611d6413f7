"""Training losses: plain functions of tensors; masked values have no influence and no gradient."""
