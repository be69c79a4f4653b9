"""Find and repair missing tenant and capsule isolation in code bases that use DynamoDB."""

__version__ = "0.1.0"
