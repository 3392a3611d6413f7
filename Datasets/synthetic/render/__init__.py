"""From posed bodies and places to linear RGB, depth and masks."""
