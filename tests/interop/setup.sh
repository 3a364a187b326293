#!/bin/sh
# Makes the Python environment of the checks in this directory.
# Usage: setup.sh [VENV_DIR]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$here/../../.venv}
installed=$venv/interop-requirements.txt

if cmp -s "$here/requirements.txt" "$installed"; then
    exit 0
fi

if ! command -v python3 >/dev/null; then
    echo "setup.sh: python3 is missing" >&2
    exit 1
fi
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    echo "setup.sh: python3 lacks the venv module (package python3-venv)" >&2
    exit 1
fi

python3 -m venv "$venv"
# The published client comes as source and needs an old setuptools to build;
# only the environment variable reaches pip's isolated builds.
PIP_CONSTRAINT=$here/constraints.txt "$venv/bin/pip" install \
    --quiet --disable-pip-version-check -r "$here/requirements.txt"
cp "$here/requirements.txt" "$installed"
