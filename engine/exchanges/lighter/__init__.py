"""Lighter (zkLighter), perp: facts, messages, transactions and their signatures, codec.

Its documentation is apidocs.lighter.xyz. `field`, `poseidon`, `curve` and `schnorr` are the venue's public
signature scheme in pure Python: the simulated venue verifies with it, tests judge by it, and it signs where the
native signer of the venue's own package is not installed.
"""
