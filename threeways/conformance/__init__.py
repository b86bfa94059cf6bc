"""Somebody's own implementation, or steps recorded anywhere, compared with the exact step."""
