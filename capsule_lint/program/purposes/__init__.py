"""What classes and functions are for: entities, repositories, handlers, tables."""
