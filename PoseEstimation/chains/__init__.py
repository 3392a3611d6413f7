"""Chains: recipes one after another, from data to weights and from weights to tables.

``chain.py`` runs the stages of any chain; the other files list them, one chain each.
"""
