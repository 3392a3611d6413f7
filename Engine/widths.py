"""Widths of MobileNetV2 in MoveNet's two sizes, free of torch for settings."""

THUNDER = (56, 32, 40, 56, 112, 168, 280, 560)
LIGHTNING = (32, 16, 24, 32, 64, 96, 160, 320)
"""Channels of the stem and of the seven stages."""
