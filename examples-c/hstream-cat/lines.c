/* Standard input, line by line. Waiting for more of it ends at a signal. */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cat.h"

static int make_room(struct lines *lines)
{
    if (lines->start > 0) {
        memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
        lines->end -= lines->start;
        lines->start = 0;
    }
    if (lines->end < lines->room)
        return 1;
    size_t room = lines->room ? 2 * lines->room : 65536;
    char *larger = realloc(lines->buffer, room);
    if (!larger)
        return complain("standard input", strerror(ENOMEM));
    lines->buffer = larger;
    lines->room = room;
    return 1;
}

/* Sets at_end at the end, at an error and at a signal. */
static void read_more(struct lines *lines)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signal_fd(), .events = POLLIN}};
    ssize_t len = 0;

    lines->failed = !make_room(lines);
    if (!lines->failed) {
        do {
            len = -1;
            if (poll(fds, 2, -1) > 0 && !caught_signal())
                len = read(STDIN_FILENO, lines->buffer + lines->end, lines->room - lines->end);
        } while (len < 0 && errno == EINTR && !caught_signal());
        if (len < 0 && !caught_signal())
            lines->failed = !complain("standard input", strerror(errno));
    }
    lines->at_end = len <= 0;
    lines->end += len > 0 ? (size_t)len : 0;
}

/* The next line, without its end; 0 when there is none. A signal may leave a part of a line behind, which is none. */
int next_line(struct lines *lines, char **line, size_t *len)
{
    size_t searched = lines->start;
    char *found = NULL;
    for (;;) {
        if (lines->end > searched)
            found = memchr(lines->buffer + searched, '\n', lines->end - searched);
        if (found || lines->at_end)
            break;
        searched = lines->end - lines->start; /* from where it will be */
        read_more(lines);
    }
    if (caught_signal() || lines->failed || (!found && lines->start == lines->end))
        return 0;
    *line = lines->buffer + lines->start;
    *len = (size_t)((found ? found : lines->buffer + lines->end) - *line);
    lines->start = found ? lines->start + *len + 1 : lines->end;
    return 1;
}

void free_lines(struct lines *lines)
{
    free(lines->buffer);
}
