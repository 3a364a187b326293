# What doxygen is given in the place of include/hstreamdb.h: the same, where
#   - the comment at the top is documentation, with its headings and list as such,
#   - **Ownership** and the like are headings of paragraphs,
#   - names of functions are links, which fail if there is no such function,
#   - each thing is in the group of its type.

BEGIN {
    while ((getline line < ARGV[1]) > 0)
        if (match(line, /^typedef struct hstream_[a-z_]*_t hstream_/))
            types[substr(line, 16, RLENGTH - 15 - 11)] = 1
    close(ARGV[1])
}

# The type that a function belongs to: the longest that its name begins with.
function type_of(name,    type, best) {
    best = ""
    for (type in types)
        if (index(name, type "_") == 1 && length(type) > length(best))
            best = type
    return best
}

function group_of(text,    name, type) {
    if (match(text, /#define HSTREAM_[A-Z0-9_]+/)) {
        name = substr(text, RSTART + 8, RLENGTH - 8)
        if (name ~ /^HSTREAM_(OK|END|ERR_)/)
            return "codes"
        return name ~ /VERSION/ ? "library" : "constants"
    }
    if (text ~ /\(\*hstream_[a-z_]+_fn\)/)
        return "callbacks"
    if (text ~ /^typedef struct hstream_/) {
        match(text, /hstream_[a-z_]+_t/)
        return substr(text, RSTART, RLENGTH - 2)
    }
    if (match(text, /hstream_[a-z0-9_]+\(/)) {
        type = type_of(substr(text, RSTART, RLENGTH - 1))
        return type == "" ? "library" : type
    }
    return "library"
}

# A comment waits until it is known what it is about.
function flush_comment() {
    if (comment == "")
        return
    if (declaration != "")
        sub(/ *\*\/\n$/, "\n * @ingroup " group_of(declaration) "\n */\n", comment)
    printf "%s%s", comment, declaration
    comment = declaration = ""
}

function with_links(line,    out) {
    out = ""
    while (match(line, /`hstream_[a-z0-9_]+`/)) {
        out = out substr(line, 1, RSTART - 1) "#" substr(line, RSTART + 1, RLENGTH - 2)
        line = substr(line, RSTART + RLENGTH)
    }
    return out line
}

NR == 1 { print "/** @file"; in_top = 1; next }

in_top {
    if ($0 ~ /\*\/$/)
        in_top = 0
    if ($0 ~ /^ \* [A-Z][A-Za-z, ]+$/)
        sub(/^ \* /, " * \n * ## ")
    else if ($0 ~ /^ \*     [a-z-]+  /) {
        sub(/^ \*     /, " * - **")
        sub(/  +/, "**: ")
        in_list = 1
    } else if ($0 ~ /^ \*      /)
        sub(/^ \* +/, " *   ")
    else {
        # A list ends with an empty line here, and without one there.
        sub(/^ \*   /, in_list ? " *\n * " : " * ")
        in_list = 0
    }
    gsub(/hstream_<type>_<verb>|HSTREAM_<GROUP>_<NAME>|\*_options/, "`&`")
    print
    next
}

/^ *\/\*\*/ { flush_comment(); in_comment = 1 }

in_comment {
    if (match($0, /^ *\* \*\*(Ownership|Threads|Blocking|Errors|Since)\*\*: */)) {
        text = substr($0, RSTART + RLENGTH)
        split($0, parts, "\\*\\*")
        $0 = " * @par " parts[2] "\n * " text
    }
    comment = comment with_links($0) "\n"
    if ($0 ~ /\*\/ *$/)
        in_comment = 0
    next
}

# What is inside of a struct has no group of its own.
comment != "" && /^ / && declaration == "" { printf "%s", comment; comment = ""; print; next }

comment != "" {
    declaration = declaration $0 "\n"
    if ($0 ~ /^#define/ || $0 ~ /[;{] *$/)
        flush_comment()
    next
}

{ print }

END {
    flush_comment()
    for (type in types)
        printf "/** @defgroup %s %s_t\n * @ingroup types */\n", type, type
}
