#!/usr/bin/env bash
# Make .venv hold what requirements/dev.txt says, this project, its Python client and, where cargo and a C compiler are,
# the native wire's codec. Needs Python >= 3.11 and a package registry, nothing else. Does nothing when nothing changed.
# NATIVE says whether the codec is built: `auto` (where it can be), `require` (or fail, as CI does), `off`.
# `tools/setup.sh native` does that part alone, `tools/setup.sh python` names the interpreter that would be taken.
# Decisions: docs/decisions/0001-locks.md, 0016-native-wire.md, 0019-optimised-interpreter.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly venv=.venv native=${NATIVE:-auto}
python=${PYTHON:-}
readonly stamp=$venv/setup.stamp native_stamp=$venv/native.stamp
readonly native_log=native/target/setup.log

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

# Leaves in `python` the interpreter where none was named: python3, or the system's own where that is the faster build.
# Why only with uv: the system's own may have no ensurepip.
find_python() {
    if [[ -n $python ]]; then return; fi
    python=python3
    if uv --version >/dev/null 2>&1 && ! is_optimised python3 && is_optimised /usr/bin/python3; then
        python=/usr/bin/python3
    fi
}

# Whether an interpreter is there, new enough, and a distribution's (prefix /usr) or configured with optimisations.
is_optimised() {
    "$1" -c 'import sys, sysconfig
configured = sysconfig.get_config_var("CONFIG_ARGS") or ""
sys.exit(sys.version_info < (3, 11) or (sys.base_prefix != "/usr" and "--enable-optimizations" not in configured))' 2>/dev/null
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
    wants=$("$python" -c 'import sys; print(sys.base_prefix, sys.version_info[:3])')
    if [[ -x $venv/bin/python ]]; then
        has=$("$venv/bin/python" -c 'import sys; print(sys.base_prefix, sys.version_info[:3])' 2>/dev/null || echo broken)
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
    # The sync has removed the codec.
    rm -f "$native_stamp"
}

# All that decides what the codec's wheel holds, as one hash; why there is none, where it cannot be built.
wanted_native() {
    if [[ $native == off ]]; then
        echo 'NATIVE is off'
    elif ! command -v cargo >/dev/null; then
        echo 'no cargo is on the path'
    elif ! command -v cc >/dev/null; then
        echo 'no C compiler (cc) is on the path'
    else
        { cargo --version; find native -path native/target -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 cat; } | sha256sum
    fi
}

build_native() {
    rm -rf native/target/wheels
    mkdir -p native/target
    # Why the interpreter by name: one wheel (abi3) serves each Python from 3.11 on, this one needs only to be found.
    "$venv/bin/maturin" build --quiet --release --locked --manifest-path native/Cargo.toml --compatibility linux \
        --interpreter "$venv/bin/python" --out native/target/wheels >"$native_log" 2>&1 &&
        find_uv &&
        "$uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-index --reinstall native/target/wheels/*.whl
}

# Leaves the codec in .venv, or says in one line why the daemon will serve over grpcio.
setup_native() {
    local want missing=''
    want=$(wanted_native)
    if [[ $(cat "$native_stamp" 2>/dev/null) == "$want" ]]; then return; fi
    case $want in
    [Nn]*) missing=$want ;;
    *) build_native || missing="native/ could not be built, see $native_log" ;;
    esac
    if [[ -z $missing ]]; then
        printf '%s\n' "$want" >"$native_stamp"
    elif [[ $native == require ]]; then
        fail "$missing, and NATIVE=require; NATIVE=auto goes on without the native wire"
    else
        printf 'setup: %s: gRPC will be served by grpcio, at a twentieth of the speed\n' "$missing" >&2
    fi
}

if [[ ${1:-} == native ]]; then
    setup_native
    exit
fi

find_python
if [[ ${1:-} == python ]]; then
    printf '%s\n' "$python"
    exit
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "\`$python\` is no Python 3.11 or newer; name one: make setup PYTHON=python3.12"
export UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=${UV_LINK_MODE:-copy}
want=$(wanted)
if [[ ! -x $venv/bin/sidecar || $(cat "$stamp" 2>/dev/null) != "$want" ]]; then
    find_uv
    install
    printf '%s\n' "$want" >"$stamp"
fi
setup_native
# Why always, and by name: the interpreter may be told to write no bytecode, and start-up time is a promise.
"$venv/bin/python" -m compileall -q sidecar clients/python/src >/dev/null 2>&1 || true
