#!/usr/bin/env bash
# Make .venv hold what requirements/dev.txt says, this project and its Python client. Needs Python >= 3.11 and a
# package registry, nothing else. Does nothing when nothing changed. Decision: docs/decisions/0001-locks.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly venv=.venv python=${PYTHON:-python3}
readonly stamp=$venv/setup.stamp

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

# All that decides what .venv holds, as one hash.
wanted() {
    {
        "$python" -c 'import sys; print(sys.base_prefix, sys.version)'
        cat tools/setup.sh pyproject.toml requirements/*.txt sidecar/__init__.py
        if [[ -f clients/python/pyproject.toml ]]; then cat clients/python/pyproject.toml; fi
    } | sha256sum
}

# Leaves in `uv` the uv of the path or, where there is none, the locked one in .venv. A .venv of another Python is
# made anew.
find_uv() {
    local wants has=none
    wants=$("$python" -c 'import sys; print(sys.version_info[:3])')
    if [[ -x $venv/bin/python ]]; then
        has=$("$venv/bin/python" -c 'import sys; print(sys.version_info[:3])' 2>/dev/null || echo broken)
    fi
    if [[ $has != none && $has != "$wants" ]]; then rm -rf "$venv"; fi

    if uv --version >/dev/null 2>&1; then
        uv=uv
        if [[ ! -x $venv/bin/python ]]; then uv venv --quiet --allow-existing --python "$python" "$venv"; fi
        return
    fi
    uv=$venv/bin/uv
    if [[ -x $uv ]]; then return; fi
    "$python" -m venv "$venv" || fail "\`$python -m venv\` failed; on Debian, install python3-venv, or put uv on the path"
    "$venv/bin/python" -m pip install --quiet --require-hashes -r requirements/uv.txt
}

install() {
    local projects=(-e .)
    if [[ -f clients/python/pyproject.toml ]]; then projects+=(-e clients/python); fi
    "$uv" pip sync --quiet --python "$venv/bin/python" --require-hashes --compile-bytecode requirements/dev.txt
    # Why no isolation: the build backend is in the lock already, so that nothing unlocked runs.
    "$uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation "${projects[@]}"
    # The wheel of native/ is built and installed here, where cargo and a C compiler are.
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "\`$python\` is no Python 3.11 or newer; name one: make setup PYTHON=python3.12"
export UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=${UV_LINK_MODE:-copy}
want=$(wanted)
if [[ ! -x $venv/bin/sidecar || $(cat "$stamp" 2>/dev/null) != "$want" ]]; then
    find_uv
    install
    printf '%s\n' "$want" >"$stamp"
fi
# Why always, and by name: the interpreter may be told to write no bytecode, and start-up time is a promise.
"$venv/bin/python" -m compileall -q sidecar clients/python/src >/dev/null 2>&1 || true
