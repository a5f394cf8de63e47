"""What the commands ``tickwire bench`` and ``tickwire check`` do."""
