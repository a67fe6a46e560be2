"""What a signature depends on beside its content: the chain it is for, and how accounts are made there.

The venue tells the same in GET /system/config. These are written down because a codec must sign before it can
ask; a simulated venue is the test chain.
"""

from __future__ import annotations

from engine.exchanges.paradex.wire import SystemConfig
from engine.model.value import Value


class Chain(Value, frozen=True, kw_only=True):
    """`l1_chain_id` is the Ethereum network whose key an account's Stark key is derived from."""

    chain_id: str
    l1_chain_id: int
    account_hash: int = 0x41CB0280EBADAA75F996D8D92C6F265F6D040BB3BA442E5F86A554F1765244E
    account_proxy_hash: int = 0x3530CC4759D78042F1B543BF797F5F3D647CDE0388C33734CF91B7F7B9314A9


MAINNET = Chain(chain_id="PRIVATE_SN_PARACLEAR_MAINNET", l1_chain_id=1)
TESTNET = Chain(chain_id="PRIVATE_SN_POTC_SEPOLIA", l1_chain_id=11155111)


def differences(config: SystemConfig, chain: Chain) -> tuple[str, ...]:
    """Where the venue's own words are not what is written down here."""
    told = {
        "chain id": (config.starknet_chain_id, chain.chain_id),
        "L1 chain id": (int(config.l1_chain_id), chain.l1_chain_id),
        "account class hash": (int(config.paraclear_account_hash, 16), chain.account_hash),
        "account proxy class hash": (int(config.paraclear_account_proxy_hash, 16), chain.account_proxy_hash),
    }
    return tuple(f"{name} {theirs}, not {ours}" for name, (theirs, ours) in told.items() if theirs != ours)


def chain_of(rest_url: str) -> Chain:
    """The chain behind an address: everything but production is the test chain."""
    return MAINNET if ".prod." in rest_url else TESTNET
