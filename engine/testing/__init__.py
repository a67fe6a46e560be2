"""For those who write a venue outside this repository: the promises every venue keeps, as tests to inherit.

Nothing of botctl itself imports this package.
"""
