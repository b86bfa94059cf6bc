"""Somebody's own implementation, or steps recorded anywhere, held to the exact step."""
