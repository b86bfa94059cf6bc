"""Networks, numbers and records of the kind that people bring, right ones and wrong ones."""
