"""Strategies: each declares a target, nothing else. They await nothing, send nothing and know no venue."""
