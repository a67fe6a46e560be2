"""A branch whose commits are applied by themselves: `botctl watch`, for a person or as a program of the fleet."""
