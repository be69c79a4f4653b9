"""Entities and items: the field that they gain, and whoever spells out their fields."""
