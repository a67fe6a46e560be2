"""How far from the mid to quote: from a fixed spread to what the papers say. Statistics, hence floats inside.

What leaves this room is a `Shape`: a width and a lean, rounded, and bounded whatever a formula says.
"""
