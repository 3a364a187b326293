/* Saying what went wrong. */

#include "cat.h"

int complain(const char *what, const char *why)
{
    fprintf(stderr, PROGRAM ": %s: %s\n", what, why);
    return 0;
}

/* Tells and frees the error, if there is one. An interruption needs no words: somebody asked for it. */
int ok(hstream_code_t code, hstream_error_t **err, const char *what)
{
    if (code == HSTREAM_OK)
        return 1;
    if (code != HSTREAM_ERR_INTERRUPTED)
        complain(what, err && *err ? hstream_error_message(*err, NULL) : hstream_code_description(code));
    if (err) {
        hstream_error_free(*err);
        *err = NULL;
    }
    return 0;
}

int made(const void *handle)
{
    return handle != NULL || complain("start", "out of memory");
}
