"""The data plane: pure functions over Arrow tables. No Ray, no argv, no network."""
