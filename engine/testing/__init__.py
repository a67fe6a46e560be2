"""For those who write a venue or a strategy outside this repository: the promises each keeps, as tests to inherit.

Nothing of botctl itself imports this package.
"""
