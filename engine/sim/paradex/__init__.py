"""Paradex as a simulated venue: the real wire protocol in front of `engine.sim.exchange`.

`venue` is the machine, `rest` the table of routes, `sockets` and `feeds` the two directions of the WebSocket. The
wire types are the client's own (`engine.exchanges.paradex.wire`), so that neither side can drift alone. What the
documentation leaves open is decided once, in `settings` or beside the code, and marked as a guess.
"""
