"""Feeds that come with tickwire: ``tickwire serve coinbase`` runs one."""
