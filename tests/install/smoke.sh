#!/usr/bin/env bash
# Installs into an empty directory and does what the README says, word by word; then looks at what was installed,
# moves it, and takes it away.
#
# Usage: tests/install/smoke.sh [INSTALL.SH'S OPTIONS]
#
# All happens in a copy of the checkout. The README's blocks behind `<!-- file: NAME -->` are written there, and those
# behind `<!-- run: NAME -->` are run there, in their order, each in a shell of its own. `P` names the prefix. A block
# that does not start a server finds one at the default address.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd -P)
here=$root/tests/install
options=("$@")
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
scratch=$(mktemp -d)
# Always the same, so that what was built once need not be built again.
copy=$CARGO_TARGET_DIR/install-checkout
P=$scratch/prefix
export P
passed=0 skipped=0 server=''

stop_server() {
    [ -z "$server" ] || { kill "$server" && wait "$server" || true; } 2>/dev/null
    server=''
}
trap 'stop_server; rm -rf "$scratch" "$copy"' EXIT

fail() {
    echo "smoke.sh: $*" >&2
    exit 1
}

check() {
    echo "-- $*"
}

pass() {
    passed=$((passed + 1))
}

skip() {
    echo "skipped: $*"
    skipped=$((skipped + 1))
}

has() {
    command -v "$1" >/dev/null
}

# A server at the default address, once it listens.
start_server() {
    local lines=$scratch/server
    rm -f "$lines" && mkfifo "$lines"
    "$P/bin/hstream-dev-server" >"$lines" &
    server=$!
    read -r _ <"$lines" || fail "the server did not start"
}

# with_server DIRECTORY COMMAND...
with_server() {
    start_server
    (cd "$1" && shift && "$@")
    stop_server
}

# ---- the README

copy_checkout() {
    rm -rf "$copy"
    mkdir -p "$copy"
    (cd "$root" && git ls-files -coz --exclude-standard | tar --null -cT - --ignore-failed-read) | tar -x -C "$copy"
}

# The README's blocks, as DIRECTORY/NUMBER-KIND-NAME.
extract() {
    mkdir "$scratch/blocks"
    awk -v directory="$scratch/blocks" '
        /^<!-- (run|file): .* -->$/ { kind = substr($2, 1, length($2) - 1); name = $3; next }
        /^```/ && inside { inside = 0; kind = ""; close(path); next }
        /^```/ && kind { inside = 1; path = sprintf("%s/%02d-%s-%s", directory, ++number, kind, name); next }
        inside { print > path }
        /[^ ]/ && !inside { kind = "" }
    ' "$copy/README.md"
}

# What must be there to run a block of this name.
needs() {
    case $1 in
    pkg-config*) echo pkg-config ;;
    cmake*) echo cmake ;;
    cpp*) echo c++ ;;
    go*) echo go ;;
    python*) echo python3 ;;
    esac
}

run_block() {
    local name=${1##*-run-} tool
    check "README: $name"
    for tool in $(needs "$name"); do
        has "$tool" || { skip "there is no $tool"; return; }
    done
    if [ "$name" = install ]; then
        # The one block that takes options.
        sed -i "s|^\./install\.sh .*|& ${options[*]}|" "$1"
    elif ! grep -q hstream-dev-server "$1"; then
        start_server
    fi
    # Go remembers what pkg-config said of an earlier prefix, unless its flags are others.
    (cd "$copy" && PATH=$root/.venv/bin:$PATH CGO_CFLAGS="-I$P/include" bash -eu "$1")
    stop_server
    pass
}

run_readme() {
    local block names
    names=$(cd "$scratch/blocks" && echo ./*)
    for name in install pkg-config pkg-config-static cmake; do
        case $names in *-run-"$name"*) ;; *) fail "the README has no block to run called $name" ;; esac
    done
    for block in "$scratch"/blocks/*; do
        case $block in
        *-file-*) cp "$block" "$copy/${block##*-file-}" ;;
        *) run_block "$block" ;;
        esac
    done
}

# ---- what was installed

installed_files() {
    (cd "$1" && find . \( -type f -o -type l \) | sort)
}

check_shared_library() {
    local library=$P/lib/libhstreamdb.so
    check "shared library: name, flags, needs, symbols"
    has readelf && has nm || { skip "there is no readelf"; return; }
    local dynamic header
    dynamic=$(readelf -dW "$library")
    header=$(readelf -lW "$library")
    grep -q 'SONAME.*\[libhstreamdb\.so\.0\.1\]' <<<"$dynamic" || fail "soname: $dynamic"
    grep -q 'FLAGS_1.*NODELETE' <<<"$dynamic" || fail "not nodelete: $dynamic"
    grep -q 'FLAGS.*NOW' <<<"$dynamic" || fail "bound late: $dynamic"
    grep -q GNU_RELRO <<<"$header" || fail "writable relocations: $header"
    grep -q 'GNU_STACK.* RW ' <<<"$header" || fail "executable stack: $header"
    ! grep -qE 'R(UN)?PATH' <<<"$dynamic" || fail "a path to look in: $dynamic"
    [ "$(readlink "$library")" = libhstreamdb.so.0.1 ] || fail "link: $(readlink "$library")"
    local surprises
    surprises=$(readelf -dW "$library" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
        grep -vxE 'libc\.so\.6|libgcc_s\.so\.1|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1|ld-linux.*' || true)
    [ -z "$surprises" ] || fail "needs $surprises"
    ! ldd "$P/lib/libhstreamdb.so" | grep 'not found' || fail "ldd"
    diff <(listed) <(nm -D --defined-only "$library" | awk '{ print $3 }' | sort) ||
        fail "exports other symbols than include/hstreamdb.symbols lists"
    pass
}

# Symbols of an installed library, from the committed list.
listed() {
    grep -v -e '^#' -e 'dev-server$' "$copy/include/hstreamdb.symbols" | cut -d ' ' -f 1 | sort
}

check_static_library() {
    check "static library: no global names but ours"
    has nm || { skip "there is no nm"; return; }
    diff <(listed) <(nm --defined-only --extern-only "$P/lib/libhstreamdb.a" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort) ||
        fail "the archive has other global names"
    pass
}

# Another Rust library in the same program, which panics and catches it.
check_two_rust_libraries() {
    check "static library: beside another one of Rust's"
    local rustc=${RUSTC:-rustc}
    has "$rustc" || { skip "there is no rustc"; return; }
    "$rustc" --edition 2024 --crate-type staticlib -O -o "$scratch/libother.a" "$here/other.rs"
    # shellcheck disable=SC2046 # flags are several words
    cc -std=c11 -Wall -Wextra -Werror "$here/two.c" "$scratch/libother.a" \
        $(PKG_CONFIG_PATH=$P/lib/pkgconfig pkg-config --cflags --libs hstreamdb-static) -o "$scratch/two"
    "$scratch/two" 2>/dev/null || fail "two Rust libraries in one program"
    pass
}

check_paths() {
    check "no directory of the build is named"
    local file directory
    for file in "$P"/lib/libhstreamdb.so "$P"/lib/libhstreamdb.a "$P"/bin/hstream-dev-server; do
        for directory in "$root" "$copy" "${CARGO_HOME:-$HOME/.cargo}" "$CARGO_TARGET_DIR" "$HOME/"; do
            ! LC_ALL=C grep -q -F -e "$directory" "$file" || fail "$file names $directory"
        done
    done
    ! grep -r -F -e "$P" "$P/lib/pkgconfig" "$P/lib/cmake" || fail "a package file names the prefix"
    if has readelf; then
        readelf -SW "$P/lib/libhstreamdb.so" | grep debug_line >/dev/null || fail "no line tables"
    fi
    pass
}

check_packages() {
    check "package files: versions, system libraries"
    has pkg-config || { skip "there is no pkg-config"; return; }
    local private
    export PKG_CONFIG_PATH=$P/lib/pkgconfig
    [ "$(pkg-config --modversion hstreamdb)" = "$(sed -n 's/^version = "\(.*\)"/\1/p' "$copy/Cargo.toml" | head -n 1)" ] ||
        fail "version"
    private=$(sed -n 's/^Libs.private: //p' "$PKG_CONFIG_PATH/hstreamdb.pc")
    # What any Rust library needs on Linux with glibc, and nothing more.
    [ "$private" = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc" ] || fail "system libraries: $private"
    unset PKG_CONFIG_PATH
    pass
}

check_cmake_versions() {
    check "CMake: versions that fit and that don't, static"
    has cmake || { skip "there is no cmake"; return; }
    local version
    cmake_configures 0.1 && cmake_configures 0.1.0 || fail "CMake does not find it"
    for version in 0.0 0.2 0.1.99 1.0; do
        ! cmake_configures "$version" 2>/dev/null || fail "CMake takes it for $version"
    done
    cmake_configures 0.1 -DHSTREAMDB_USE_STATIC=ON || fail "CMake, static"
    cmake --build "$scratch/cmake" >/dev/null
    ! readelf -d "$scratch/cmake/hello" | grep hstreamdb >/dev/null || fail "CMake linked the shared library"
    pass
}

# cmake_configures VERSION [OPTIONS]
cmake_configures() {
    rm -rf "$scratch/cmake" "$scratch/cmake-source"
    mkdir "$scratch/cmake-source"
    cp "$copy/hello.c" "$scratch/cmake-source"
    sed "s/hstreamdb 0.1 REQUIRED/hstreamdb $1 REQUIRED/" "$copy/CMakeLists.txt" >"$scratch/cmake-source/CMakeLists.txt"
    shift
    cmake -S "$scratch/cmake-source" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$P" "$@" >/dev/null
}

check_cpp() {
    check "C++ over the C header"
    has c++ || { skip "there is no C++ compiler"; return; }
    c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -x c++ "$copy/hello.c" -I "$P/include" \
        -L "$P/lib" -lhstreamdb -Wl,-rpath,"$P/lib" -o "$scratch/hello-cpp"
    with_server "$scratch" "$scratch/hello-cpp"
    if [ -f "$P/include/hstreamdb.hpp" ]; then
        echo '#include <hstreamdb.hpp>
            int main() { return 0; }' >"$scratch/wrapper.cpp"
        c++ -std=c++17 -Wall -Wextra -Werror "$scratch/wrapper.cpp" -I "$P/include" -L "$P/lib" -lhstreamdb \
            -o "$scratch/wrapper"
    fi
    pass
}

check_programs() {
    check "programs"
    "$P/bin/hstream-dev-server" --version >/dev/null
    if [ -d "$copy/examples-c/hstream-cat" ]; then
        "$P/bin/hstream-cat" --version >/dev/null || fail "hstream-cat does not run from where it was installed"
    fi
    pass
}

# Moved to another place, all still works.
check_relocation() {
    check "moved: pkg-config and CMake find it"
    local old=$P
    P=$scratch/moved
    mv "$old" "$P"
    if has pkg-config; then
        # shellcheck disable=SC2046 # flags are several words
        cc "$copy/hello.c" $(PKG_CONFIG_PATH=$P/lib/pkgconfig pkg-config --cflags --libs hstreamdb) \
            -Wl,-rpath,"$P/lib" -o "$scratch/hello"
        with_server "$scratch" "$scratch/hello"
    fi
    if has cmake; then
        cmake_configures 0.1 && cmake --build "$scratch/cmake" >/dev/null
        with_server "$scratch" "$scratch/cmake/hello"
    fi
    check_programs
    mv "$P" "$old"
    P=$old
}

check_destdir() {
    check "DESTDIR, other directories, --strip, uninstall"
    local stage=$scratch/stage places=(--prefix /opt/h --libdir lib/multi --includedir /opt/h/include/h)
    (cd "$copy" && DESTDIR=$stage ./install.sh --no-build --strip "${places[@]}")
    [ -z "$(find "$stage" -mindepth 1 -maxdepth 1 ! -name opt)" ] || fail "files outside of the prefix"
    diff <(installed_files "$P" | sed 's|.*/||') <(installed_files "$stage/opt/h" | sed 's|.*/||') ||
        fail "other files than without DESTDIR"
    # shellcheck disable=SC2046 # flags are several words
    cc "$copy/hello.c" $(PKG_CONFIG_PATH=$stage/opt/h/lib/multi/pkgconfig pkg-config --cflags --libs hstreamdb-static) \
        -o "$scratch/hello-stage"
    with_server "$scratch" "$scratch/hello-stage"
    ! readelf -SW "$stage/opt/h/lib/multi/libhstreamdb.so" | grep debug >/dev/null || fail "not stripped"
    (cd "$copy" && DESTDIR=$stage ./install.sh uninstall "${places[@]}")
    [ -z "$(find "$stage/opt" -mindepth 1)" ] || fail "left behind: $(find "$stage/opt" -mindepth 1)"
    pass
}

check_uninstall() {
    check "uninstall"
    (cd "$copy" && ./install.sh uninstall --prefix "$P")
    [ ! -e "$P" ] || fail "left behind: $(find "$P")"
    pass
}

copy_checkout
extract
run_readme
check_shared_library
check_static_library
check_two_rust_libraries
check_paths
check_packages
check_cmake_versions
check_cpp
check_programs
check_relocation
check_destdir
check_uninstall
echo "install: $passed passed, 0 failed, $skipped skipped"
