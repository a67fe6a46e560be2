"""Asks about drift (`looking`, which cannot act), and does what a person says about a finding (`settling`)."""
