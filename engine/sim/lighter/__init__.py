"""Lighter as a simulated venue: the real wire protocol, real signatures and nonces, before `engine.sim.exchange`.

`venue` is the machine, `gateway` the API that takes transactions, `sequencer` what becomes of them later, `rest`
the table of routes, `streams` the sockets. What the documentation leaves open is decided in `settings`.
"""
