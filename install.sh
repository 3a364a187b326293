#!/bin/sh
# Builds the C library and the programs, and installs them.
set -eu

usage() {
    cat <<'END'
Usage: ./install.sh [install | uninstall] [OPTIONS] [CARGO'S OPTIONS]

  --prefix DIR       where it all goes; default: PREFIX, or /usr/local
  --libdir DIR       default: LIBDIR, or lib below the prefix
  --includedir DIR   default: INCLUDEDIR, or include below the prefix
  --no-build         install what is built already
  --no-programs      the library alone, without hstream-dev-server and hstream-cat
  --strip            without symbols and line tables

Passed on to cargo: --locked, --frozen, --offline, --target T, --config C, --features F, --no-default-features, -j N,
--jobs N, -v, -q.

Environment: DESTDIR is put before each directory. CARGO, RUSTC, CARGO_TARGET_DIR, CARGO_HOME, RUSTFLAGS and CFLAGS
are honoured when building, CC, LD, OBJCOPY, AR and STRIP where they are used.
END
}

say() {
    echo "install.sh: $*"
}

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

# ---- what is asked for

action=install prefix=${PREFIX:-/usr/local} libdir=${LIBDIR:-} includedir=${INCLUDEDIR:-}
build=yes programs=yes strip=no triple='' quiet='' cargo_options=''

# A word that the shell reads as it is.
quoted() {
    printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

to_cargo() {
    for word; do
        cargo_options="$cargo_options $(quoted "$word")"
    done
}

while [ $# -gt 0 ]; do
    case $1 in
    --*=*)
        option=${1%%=*} value=${1#*=}
        shift
        set -- "$option" "$value" "$@"
        continue
        ;;
    --prefix | --libdir | --includedir | --target | --config | --features | --jobs | -j)
        [ $# -ge 2 ] || fail "$1 needs a value"
        ;;
    esac
    case $1 in
    install | uninstall) action=$1 ;;
    --prefix) prefix=$2 && shift ;;
    --libdir) libdir=$2 && shift ;;
    --includedir) includedir=$2 && shift ;;
    --no-build) build=no ;;
    --no-programs) programs=no ;;
    --strip) strip=yes ;;
    --target) triple=$2 && to_cargo "$1" "$2" && shift ;;
    --config | --features | --jobs | -j) to_cargo "$1" "$2" && shift ;;
    --locked | --frozen | --offline | --no-default-features | -v | -vv) to_cargo "$1" ;;
    -q | --quiet) quiet=yes && to_cargo "$1" ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && fail "unknown: $1" ;;
    esac
    shift
done

# Absolute, and without a slash at its end.
absolute() {
    case $1 in
    /*) path=$1 ;;
    *) path=$2/$1 ;;
    esac
    while [ "${path%/}" != "$path" ]; do path=${path%/}; done
    echo "$path"
}

prefix=$(absolute "$prefix" "$PWD")
libdir=$(absolute "${libdir:-lib}" "$prefix")
includedir=$(absolute "${includedir:-include}" "$prefix")
bindir=$prefix/bin mandir=$prefix/share/man/man1 docdir=$prefix/share/doc/hstreamdb
pcdir=$libdir/pkgconfig cmakedir=$libdir/cmake/hstreamdb
DESTDIR=${DESTDIR:-}

cd "$(dirname "$0")"
source=$(pwd -P)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
case $version in
0.*) abi=${version%.*} ;;
*) abi=${version%%.*} ;;
esac

# For hstream-cat; those for the C code in dependencies get more.
cat_flags=${CFLAGS:--O2}

cargo=${CARGO:-cargo} rustc=${RUSTC:-rustc}
CARGO_TARGET_DIR=$(absolute "${CARGO_TARGET_DIR:-target}" "$source")
export CARGO_TARGET_DIR
built=$CARGO_TARGET_DIR${triple:+/$triple}/release
# What the static library needs of the system: rustc tells while it builds.
native=$built/hstreamdb-native-libs

# ---- building

# Prints DIR, and the directory that it is a link to.
and_physical() {
    echo "$1"
    [ ! -d "$1" ] || (cd "$1" && pwd -P)
}

# Line tables name files; where they were built is nobody's business, and keeps a build from being made again.
# Prints FROM=TO. Of several that match, rustc takes the last one.
renamed_paths() {
    and_physical "$source" | sed "s|\$|=/hstreamdb-$version|"
    and_physical "$CARGO_TARGET_DIR" | sed 's|$|=/build|'
    and_physical "${CARGO_HOME:-$HOME/.cargo}" | sed 's|$|=/cargo|'
    and_physical "$("$rustc" --print sysroot)" | sed 's|$|=/rust|'
}

without_paths() {
    separator=$(printf '\037')
    if [ -z "${CARGO_ENCODED_RUSTFLAGS:-}" ]; then
        CARGO_ENCODED_RUSTFLAGS=$(echo ${RUSTFLAGS:-} | tr ' ' '\037')
    fi
    for names in $(renamed_paths | sed 's/ /%20/g' | uniq); do
        names=$(echo "$names" | sed 's/%20/ /g')
        flag=--remap-path-prefix=$names
        CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS:+$CARGO_ENCODED_RUSTFLAGS$separator}$flag
        # For the C code in dependencies. Its flags are divided at spaces.
        case $names in
        *' '*) ;;
        *) [ -z "$c_remaps" ] || CFLAGS="${CFLAGS:-} -ffile-prefix-map=$names" ;;
        esac
    done
    export CARGO_ENCODED_RUSTFLAGS CFLAGS
}

contains() {
    LC_ALL=C grep -q "$1" "$2"
}

# All sets of features are built into one file, and cargo does not notice when another set was built over it.
is_release_library() {
    for library in "$built"/libhstreamdb.so "$built"/libhstreamdb.a; do
        [ -f "$library" ] || return 1
        contains hstream_check_abi "$library" || return 1
        ! contains hstream_dev_server_start "$library" || return 1
    done
}

is_without_paths() {
    ! contains "$source/src" "$built/libhstreamdb.so" &&
        ! contains "${CARGO_HOME:-$HOME/.cargo}/registry" "$built/libhstreamdb.so"
}

build_library() {
    eval "\"\$cargo\" rustc --release --lib --features ffi $cargo_options -- \
        --print \"native-static-libs=\$native\""
}

build_programs() {
    eval "\"\$cargo\" build --release --bin hstream-dev-server --features dev-server $cargo_options"
}

build_all() {
    command -v "$cargo" >/dev/null || fail "there is no cargo: set CARGO, or see README.md"
    c_remaps=''
    ! "${CC:-cc}" -ffile-prefix-map=a=b -E -x c /dev/null >/dev/null 2>&1 || c_remaps=yes
    without_paths
    # They are built from a library of other features, which is written over by the one that is wanted.
    [ $programs = no ] || build_programs
    build_library
    if ! is_release_library || ! is_without_paths; then
        rm -f "$built"/libhstreamdb.so "$built"/libhstreamdb.a
        rm -f "$built"/deps/libhstreamdb.so "$built"/deps/libhstreamdb.a
        build_library
    fi
    is_without_paths || say "$built/libhstreamdb.so names the directory that it was built in"
}

# ---- the static library

# Rust's archive has some thousand names that are not ours, which collide with the same code elsewhere in a program.
# One object of it all keeps them to itself.
localised() {
    "${LD:-ld}" -r --whole-archive "$1" -o "$work/hstreamdb.o" &&
        "${OBJCOPY:-objcopy}" --remove-section .llvmbc --remove-section .llvmcmd \
            --wildcard --keep-global-symbol 'hstream_*' "$work/hstreamdb.o" &&
        "${AR:-ar}" rcs "$2" "$work/hstreamdb.o"
}

static_library() {
    if ! localised "$built/libhstreamdb.a" "$work/libhstreamdb.a" 2>"$work/errors"; then
        sed 's/^/install.sh: /' "$work/errors" >&2
        say "the static library is installed as rustc made it, with global names that are not hstream_*"
        cp "$built/libhstreamdb.a" "$work/libhstreamdb.a"
    fi
    [ $strip = no ] || "${STRIP:-strip}" --strip-debug "$work/libhstreamdb.a"
}

shared_library() {
    cp "$built/libhstreamdb.so" "$work/libhstreamdb.so"
    [ $strip = no ] || "${STRIP:-strip}" --strip-unneeded "$work/libhstreamdb.so"
}

# ---- putting things where they go

# put MODE SOURCE TARGET. A new file each time: programs that run go on with the old one.
put() {
    mkdir -p "$DESTDIR$(dirname "$3")"
    rm -f "$DESTDIR$3"
    cp "$2" "$DESTDIR$3"
    chmod "$1" "$DESTDIR$3"
}

put_if_there() {
    [ ! -f "$2" ] || put "$1" "$2" "$3"
}

# What leads from a directory below the prefix to the prefix: /.. for each step. Fails elsewhere.
up() {
    case $1 in
    "$prefix"/*) echo "${1#"$prefix"}" | sed 's|/[^/]*|/..|g' ;;
    *) return 1 ;;
    esac
}

# between FROM TO START: the way as START/../TO if both are below the prefix, so that all can be moved, else TO.
between() {
    case $2 in
    "$prefix"/*) if steps=$(up "$1"); then echo "$3$steps${2#"$prefix"}"; else echo "$2"; fi ;;
    *) echo "$2" ;;
    esac
}

# fill TEMPLATE TARGET NAME=VALUE...
fill() {
    template=$1 target=$2
    shift 2
    cp "$template" "$work/filled"
    for setting; do
        value=$(printf %s "${setting#*=}" | sed 's/[|&\\]/\\&/g')
        sed "s|@${setting%%=*}@|$value|g" "$work/filled" >"$work/filling"
        mv "$work/filling" "$work/filled"
    done
    put 644 "$work/filled" "$target"
}

native_libraries() {
    if [ -f "$native" ]; then
        cat "$native"
    else
        # Ours needs what any Rust library needs.
        : >"$work/empty.rs"
        "$rustc" --crate-type staticlib ${triple:+--target "$triple"} --print "native-static-libs=$work/libs" \
            -o "$work/empty.a" "$work/empty.rs" 2>/dev/null
        cat "$work/libs"
    fi
}

pointer_bytes() {
    bits=$("$rustc" --print cfg ${triple:+--target "$triple"} | sed -n 's/^target_pointer_width="\(.*\)"$/\1/p')
    echo $((bits / 8))
}

install_library() {
    shared_library
    static_library
    put 755 "$work/libhstreamdb.so" "$libdir/libhstreamdb.so.$version"
    ln -sf "libhstreamdb.so.$version" "$DESTDIR$libdir/libhstreamdb.so.$abi"
    ln -sf "libhstreamdb.so.$abi" "$DESTDIR$libdir/libhstreamdb.so"
    put 644 "$work/libhstreamdb.a" "$libdir/libhstreamdb.a"
    put 644 include/hstreamdb.h "$includedir/hstreamdb.h"
    put_if_there 644 include/hstreamdb.hpp "$includedir/hstreamdb.hpp"
}

install_packages() {
    private=$(native_libraries)
    if steps=$(up "$pcdir"); then pcprefix="\${pcfiledir}$steps"; else pcprefix=$prefix; fi
    for name in hstreamdb hstreamdb-static; do
        fill "packaging/$name.pc.in" "$pcdir/$name.pc" "PREFIX=$pcprefix" "VERSION=$version" "PRIVATE=$private" \
            "LIBDIR=$(below_prefix "$libdir")" "INCLUDEDIR=$(below_prefix "$includedir")"
    done
    fill packaging/hstreamdb-config.cmake.in "$cmakedir/hstreamdb-config.cmake" \
        "VERSION=$version" "ABI=$abi" "PRIVATE=$(echo "$private" | tr -s ' ' ';')" \
        "INCLUDEDIR=$(between "$cmakedir" "$includedir" '${CMAKE_CURRENT_LIST_DIR}')"
    fill packaging/hstreamdb-config-version.cmake.in "$cmakedir/hstreamdb-config-version.cmake" \
        "VERSION=$version" "ABI=$abi" "POINTER=$(pointer_bytes)"
}

below_prefix() {
    case $1 in
    "$prefix"/*) echo "\${prefix}${1#"$prefix"}" ;;
    *) echo "$1" ;;
    esac
}

install_programs() {
    put 755 "$built/hstream-dev-server" "$bindir/hstream-dev-server"
    [ $strip = no ] || "${STRIP:-strip}" "$DESTDIR$bindir/hstream-dev-server"
    put_if_there 644 docs/man/hstream-dev-server.1 "$mandir/hstream-dev-server.1"
    install_cat
}

# A C program over the library that was just installed, which it finds beside itself.
install_cat() {
    [ -d examples-c/hstream-cat ] || return 0
    if ! command -v "${CC:-cc}" >/dev/null; then
        say "hstream-cat is not installed: there is no C compiler (set CC)"
        return
    fi
    runpath=$(between "$bindir" "$libdir" '$ORIGIN')
    case $libdir in
    /lib | /lib/* | /usr/lib | /usr/lib/*) runpath='' ;;
    esac
    # shellcheck disable=SC2086 # flags are several words
    "${CC:-cc}" -std=c11 $cat_flags -Iinclude examples-c/hstream-cat/*.c -o "$work/hstream-cat" \
        -L"$DESTDIR$libdir" -lhstreamdb -lpthread ${runpath:+"-Wl,-rpath,$runpath"} ${LDFLAGS:-}
    put 755 "$work/hstream-cat" "$bindir/hstream-cat"
    [ $strip = no ] || "${STRIP:-strip}" "$DESTDIR$bindir/hstream-cat"
    put_if_there 644 docs/man/hstream-cat.1 "$mandir/hstream-cat.1"
}

install_all() {
    for library in libhstreamdb.so libhstreamdb.a; do
        [ -f "$built/$library" ] || fail "$built/$library is not there: leave --no-build out"
    done
    is_release_library || fail "$built/libhstreamdb.so was built with other features than ffi: leave --no-build out"
    [ $programs = no ] || [ -f "$built/hstream-dev-server" ] ||
        fail "$built/hstream-dev-server is not there: leave --no-build out, or give --no-programs"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    install_library
    install_packages
    [ $programs = no ] || install_programs
    put 644 LICENSE "$docdir/LICENSE"
    put 644 README.md "$docdir/README.md"
    put 644 docs/THIRD-PARTY-LICENSES "$docdir/THIRD-PARTY-LICENSES"
}

# ---- taking them away

uninstall_all() {
    for file in libhstreamdb.so "libhstreamdb.so.$abi" "libhstreamdb.so.$version" libhstreamdb.a \
        pkgconfig/hstreamdb.pc pkgconfig/hstreamdb-static.pc; do
        rm -f "$DESTDIR$libdir/$file"
    done
    rm -f "$DESTDIR$cmakedir"/hstreamdb-config.cmake "$DESTDIR$cmakedir"/hstreamdb-config-version.cmake
    rm -f "$DESTDIR$includedir"/hstreamdb.h "$DESTDIR$includedir"/hstreamdb.hpp
    rm -f "$DESTDIR$docdir"/LICENSE "$DESTDIR$docdir"/README.md "$DESTDIR$docdir"/THIRD-PARTY-LICENSES
    for program in hstream-dev-server hstream-cat; do
        rm -f "$DESTDIR$bindir/$program" "$DESTDIR$mandir/$program.1"
    done
    remove_empty "$cmakedir" "$docdir"
    case $prefix in
    '' | /usr | /usr/local) ;; # their directories are everybody's
    *) remove_empty_above "$bindir" "$libdir/cmake" "$pcdir" "$includedir" "$mandir" "$prefix/share/doc" ;;
    esac
}

remove_empty() {
    for directory; do
        rmdir "$DESTDIR$directory" 2>/dev/null || true
    done
}

# And what is above them, up to the prefix.
remove_empty_above() {
    for directory; do
        while [ "$directory" = "$prefix" ] || up "$directory" >/dev/null; do
            rmdir "$DESTDIR$directory" 2>/dev/null || break
            directory=$(dirname "$directory")
        done
    done
}

# ----

if [ $action = uninstall ]; then
    uninstall_all
else
    [ $build = no ] || build_all
    install_all
    [ -n "$quiet" ] || say "hstreamdb $version is in $DESTDIR$prefix"
fi
