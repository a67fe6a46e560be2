"""Limits before the send (law 6): the guard turns order requests into approved orders or refusals."""
