"""What one house adds to Penchant."""
