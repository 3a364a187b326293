/* What the C tests share: a failed check is told and counted, and the test goes on. */

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <time.h>

#include "hstreamdb.h"

#define LONG_MS 30000

static int failures;

#define CHECK(condition) check(!!(condition), #condition, __LINE__, NULL)
#define OK(call) check_code((call), HSTREAM_OK, #call, __LINE__)
#define CODE(wanted, call) check_code((call), (wanted), #call, __LINE__)

static inline int check(int good, const char *what, int line, const char *why)
{
    if (!good) {
        fprintf(stderr, "line %d: %s%s%s\n", line, what, why ? ": " : "", why ? why : "");
        failures++;
    }
    return good;
}

static inline int check_code(hstream_code_t code, hstream_code_t wanted, const char *what, int line)
{
    return check(code == wanted, what, line, hstream_code_name(code));
}

/* Between two looks at a condition, or where nothing is to happen, which is seen no other way. */
static inline void nap(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

#endif
