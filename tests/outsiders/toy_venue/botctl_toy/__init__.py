"""A venue whose wire format is botctl's own events as JSON: as small as a venue can be."""
