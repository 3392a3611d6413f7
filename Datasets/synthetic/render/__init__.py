"""From posed bodies and backgrounds to linear RGB, depth and masks."""
