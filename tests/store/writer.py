"""A writer to be killed: appends one commit after the other and prints each number once it is acknowledged.

Usage: python -m tests.store.writer URL STREAM [LAST]: at LAST it kills itself between commit and answer.
"""

import asyncio
import os
import signal
import sys

from tests.store.helpers import a_commit, opened


async def main(url: str, stream: str, last: int) -> None:
    async with opened(url) as store:
        n = 0
        while await store.append([a_commit(stream, n + 1)]) == [True]:
            n += 1
            if n == last:
                os.kill(os.getpid(), signal.SIGKILL)
            print(n, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0))
