/* The little JSON that the library does not write or read for us. */

#include <string.h>

#include "cat.h"

/* The length of the UTF-8 character that begins here; 0 if there is none. */
static size_t character(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } kinds[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t more = 0; more < 4; more++) {
        if ((at[0] & kinds[more].mask) != kinds[more].lead || left <= more)
            continue;
        uint32_t code = at[0] & (unsigned char)~kinds[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (at[i] & 0x3f);
        }
        int is_half = code >= 0xd800 && code < 0xe000;
        return code >= kinds[more].least && code <= 0x10ffff && !is_half ? more + 1 : 0;
    }
    return 0;
}

static int is_text(const unsigned char *bytes, size_t len)
{
    for (size_t at = 0, width; at < len; at += width)
        if ((width = character(bytes + at, len - at)) == 0)
            return 0;
    return 1;
}

void print_json_text(FILE *file, const char *text, size_t len)
{
    putc('"', file);
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '"' || byte == '\\')
            fprintf(file, "\\%c", byte);
        else if (byte < 0x20)
            fprintf(file, "\\u%04x", byte);
        else
            putc(byte, file);
    }
    putc('"', file);
}

static void print_base64(FILE *file, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < len; at += 3) {
        size_t left = len - at;
        uint32_t group = (uint32_t)bytes[at] << 16;
        group |= left > 1 ? (uint32_t)bytes[at + 1] << 8 : 0;
        group |= left > 2 ? bytes[at + 2] : 0;
        putc(digits[group >> 18], file);
        putc(digits[group >> 12 & 63], file);
        putc(left > 1 ? digits[group >> 6 & 63] : '=', file);
        putc(left > 2 ? digits[group & 63] : '=', file);
    }
}

/* "name":"text", or "name_base64":"..." for what is no text. */
void print_json_bytes(FILE *file, const char *name, const void *bytes, size_t len)
{
    if (is_text(bytes, len)) {
        fprintf(file, "\"%s\":", name);
        print_json_text(file, bytes, len);
    } else {
        fprintf(file, "\"%s_base64\":\"", name);
        print_base64(file, bytes, len);
        putc('"', file);
    }
}

/* The value of a key of an object, not of those in it; "" if there is none. */
const char *value_of(const char *object, const char *key)
{
    size_t len = strlen(key);
    int depth = 0;
    for (const char *at = object; *at; at++) {
        if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            depth--;
        } else if (*at == '"') {
            const char *name = ++at;
            while (*at && *at != '"')
                at += *at == '\\' && at[1] ? 2 : 1;
            if (!*at)
                return at;
            if (depth == 1 && (size_t)(at - name) == len && memcmp(name, key, len) == 0 && at[1] == ':')
                return at + 2;
        }
    }
    return "";
}
