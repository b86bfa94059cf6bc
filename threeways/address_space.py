"""The address space that a command needs, where ``ulimit -v`` limits it.

The libraries do not tell when they get too little: they hang, crash or end the process.
"""

from __future__ import annotations

import os
import sys

GIB = 2**30


def shortage(with_tensorflow: bool = False) -> str:
    """What is wrong with the limit of the address space, if it is too low, else empty.

    What is needed was measured, with a margin; each core has threads with stacks of their own.

    Args:
        with_tensorflow: whether TensorFlow is to be loaded.
    """
    if sys.platform == "win32":  # has no such limit
        return ""
    import resource

    whole, per_core = (3, 1 / 8) if with_tensorflow else (1 / 2, 1 / 16)
    needed = whole + per_core * (os.cpu_count() or 1)
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or limit >= needed * GIB:
        return ""
    return f"needs {needed:.2f} GiB of address space, but ulimit -v allows only {limit / GIB:.2f}"
