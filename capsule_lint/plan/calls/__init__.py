"""Calls that get arguments: where these go, among the others or in what the call spreads."""
