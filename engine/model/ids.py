"""Client order ids: an owner tag and a sequence, inside whatever room a venue leaves.

A tag belongs to one bot on one account; sequences never repeat for a tag. So a foreign order can be told
from an own one before anything else is known about it.
"""

from __future__ import annotations

from engine.model.value import Value


class ClientIdScheme(Value, frozen=True, kw_only=True):
    """How a venue's client id is divided. Backpack: 8 + 24 bits of a uint32."""

    tag_bits: int
    sequence_bits: int

    @property
    def max_tag(self) -> int:
        return (1 << self.tag_bits) - 1

    @property
    def sequences(self) -> int:
        """How many sequence numbers there are before they wrap."""
        return 1 << self.sequence_bits

    def compose(self, tag: int, sequence: int) -> int:
        """The client id of an owner's n-th order; the sequence wraps, the caller skips ids still in use."""
        if not 0 < tag <= self.max_tag:
            raise ValueError(f"owner tag {tag} is outside 1..{self.max_tag}")
        return (tag << self.sequence_bits) | (sequence % self.sequences)

    def tag_of(self, client_id: int) -> int:
        return client_id >> self.sequence_bits

    def sequence_of(self, client_id: int) -> int:
        return client_id & (self.sequences - 1)
