"""Backpack, spot and perp: facts, messages, signatures, codec and book rule.

Its documentation is docs.backpack.exchange.
"""
