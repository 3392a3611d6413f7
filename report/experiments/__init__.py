"""Chains that compare: sources of data, equal data, sources of photos, parts of the weights."""
