"""Where a scope's value comes from at a place."""
