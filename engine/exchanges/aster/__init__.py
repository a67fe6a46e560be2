"""Aster: facts, messages, signatures, codec and book rules of its two APIs, perpetual futures and spot.

The APIs live on hosts of their own, with listenKeys, wallets and limits of their own, and name their markets alike
(`BTCUSDT`). So they are two venues here: `aster` (perps) and `aster-spot`. A symbol is always the venue's own word,
and one user's keys serve both. Its documentation is github.com/asterdex/api-docs.
"""
