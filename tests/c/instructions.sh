#!/usr/bin/env bash
# Counts the instructions of calls over the ABI and of the same in Rust, by callgrind, and fails where the ABI adds
# more than it may. It needs a release build with the feature `ffi`, and a server program:
#
#   cargo build --release --features ffi --lib
#   tests/c/instructions.sh DEV_SERVER_PROGRAM
#
# A count is what a call with twice as many records takes more, divided by their number.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd -P)
release=${CARGO_TARGET_DIR:-$root/target}/release
server_program=${1:?usage: instructions.sh DEV_SERVER_PROGRAM}
# Enough that one batch more or less does not show.
count=${2:-16000}

for tool in valgrind cc rustc; do
    command -v "$tool" >/dev/null || { echo "skipped: there is no $tool"; exit 0; }
done
for file in libhstreamdb.so libhstreamdb.rlib; do
    [ -e "$release/$file" ] || { echo "instructions.sh: there is no $release/$file" >&2; exit 1; }
done

scratch=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill "$server"; rm -rf "$scratch"' EXIT

# Whatever name the library has for programs, it is found here.
soname=$(readelf -d "$release/libhstreamdb.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')
ln -s "$release/libhstreamdb.so" "$scratch/${soname:-libhstreamdb.so}"
[ -e "$scratch/libhstreamdb.so" ] || ln -s "$release/libhstreamdb.so" "$scratch/libhstreamdb.so"
cc -O2 -g -std=c11 -D_POSIX_C_SOURCE=200809L -I "$root/include" "$root/tests/c/instructions.c" -o "$scratch/c" \
    -L "$scratch" -lhstreamdb -Wl,-rpath,"$scratch"
# By the library that is built already: as an example it would be built once more, with other features.
rustc --edition 2024 -O -C debuginfo=1 --crate-name instructions "$root/examples/instructions.rs" -o "$scratch/rust" \
    --extern "hstreamdb=$release/libhstreamdb.rlib" -L "dependency=$release/deps"

mkfifo "$scratch/lines"
"$server_program" --port 0 >"$scratch/lines" &
server=$!
read -r line <"$scratch/lines"
url=${line##* }

# instructions PROGRAM STREAM HOW COUNT: of measured_calls and all that it calls.
instructions() {
    timeout 300 valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*measured_calls*' \
        "$1" "$url" "$2" "$3" "$4" 2>&1 >/dev/null | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

streams=0

# each_record PROGRAM HOW: a tenth of an instruction is 1.
each_record() {
    local sums=() times
    for times in 1 2; do
        streams=$((streams + 1))
        "$scratch/rust" "$url" "stream-$streams" fill $((times * count)) >/dev/null
        sums+=("$(instructions "$1" "stream-$streams" "$2" $((times * count)))")
    done
    each=$(((sums[1] - sums[0]) * 10 / count))
}

failed=0

# compare HOW MOST: the percent that the ABI may add.
compare() {
    local rust c
    each_record "$scratch/rust" "$1" && rust=$each
    each_record "$scratch/c" "$1" && c=$each
    local more=$(((c - rust) * 1000 / rust))
    local verdict="as wanted"
    [ "$more" -le $(($2 * 10)) ] || { verdict="too much" && failed=1; }
    printf '%-8s Rust %6d.%d  C %6d.%d  %+d.%d %% (at most %d %%): %s\n' "$1" $((rust / 10)) $((rust % 10)) \
        $((c / 10)) $((c % 10)) $((more / 10)) $((${more#-} % 10)) "$2" "$verdict"
}

echo "instructions a record"
compare record 10
compare raw 10
compare packed 2
compare columns 2
exit $failed
