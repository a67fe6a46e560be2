"""Paradex: perpetuals on a Starknet appchain. `venue` is what the registry finds; every order is signed with a
Stark key, every private call needs a JWT besides (`gate`), and what became of an order its stream alone tells.
"""
