#!/bin/sh
# Makes target/reference/html: the reference of the C library, its guides and its examples. Any warning is an error.
set -eu
cd "$(dirname "$0")/../.."

rm -rf target/reference
mkdir -p target/reference/input

# Each example becomes a page; the comment that it begins with says what it does.
for example in examples-c/*.c; do
    printf '/** @example %s\n' "${example#examples-c/}"
    awk '{ done = /\*\// } { gsub(/^ *\/\*+|^ *\*\/|\*\/.*$|^ \*/, ""); gsub(/[<>@\\]/, "\\\\&"); print } done { exit }' "$example"
    printf '*/\n'
done > target/reference/input/examples.dox

doxygen docs/Doxyfile
test -s target/reference/html/index.html
echo "target/reference/html/index.html"
