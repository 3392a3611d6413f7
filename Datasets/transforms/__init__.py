"""Changes of samples before a network sees them.

``train_*`` functions draw from a passed generator; ``eval_*`` functions take none: they cannot be
random.
"""
