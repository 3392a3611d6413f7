"""Chains that compare: sources of data, equal data, parts of the shipped weights."""
