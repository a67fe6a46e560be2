"""Aster as a simulated venue: the real wire protocol of one of its two APIs in front of `engine.sim.exchange`.

`venue` is the machine, `rest` the table of routes, `streams` the sockets. The wire types are the client's own
(`engine.exchanges.aster.wire`), so that neither side can drift alone. What the documentation leaves open is decided
once, in `settings` or beside the code, and marked as a guess.
"""
