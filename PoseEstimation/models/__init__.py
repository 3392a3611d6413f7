"""Networks, one per file.

To add one: write a frozen config dataclass and a module that takes it; weights carry both names.
"""
