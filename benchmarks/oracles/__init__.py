"""Oracles: figures of papers and identities of arithmetic that the engine must meet."""
