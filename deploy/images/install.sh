#!/bin/sh
# Builds /opt/ruamjai/env from the lock file: `uv export`'s options say which part, `--wheel FILE` adds our own.
# Hashes are those of the lock file whatever index serves the files, so a mirror cannot slip anything in.
set -eu
export UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
export VIRTUAL_ENV=/opt/ruamjai/env PATH="/opt/uv/bin:$PATH"
if [ "$1" = --wheel ]; then
    exec uv pip install --quiet --no-deps "$2"
fi
uv export --frozen --quiet --no-dev --no-emit-project --output-file /tmp/packages.txt "$@"
uv venv --quiet --python "$(command -v python)" "$VIRTUAL_ENV"
exec uv pip install --quiet --default-index "$PACKAGE_INDEX" --require-hashes --requirement /tmp/packages.txt
