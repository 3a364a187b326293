/* SIGINT and SIGTERM end what waits; the second one ends the program on the spot. */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cat.h"

static volatile sig_atomic_t caught;
static hstream_cancel_t *cancel;
static int ends[2] = {-1, -1};

static void on_signal(int number)
{
    int before = errno;
    caught = number;
    hstream_cancel_trigger(cancel); /* ends calls of the library */
    if (write(ends[1], "", 1) < 0) { /* ends the wait for standard input; a full pipe does as well */
    }
    errno = before;
}

/* A closed output shows as an error of the write then. */
int ignore_closed_output(void)
{
    return signal(SIGPIPE, SIG_IGN) != SIG_ERR || complain("signals", strerror(errno));
}

int watch_signals(struct app *app)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    cancel = app->cancel;
    sigemptyset(&action.sa_mask);
    if (pipe(ends) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0 || sigaction(SIGINT, &action, NULL) != 0 ||
        sigaction(SIGTERM, &action, NULL) != 0)
        return complain("signals", strerror(errno));
    return 1;
}

int caught_signal(void)
{
    return caught;
}

int signal_fd(void)
{
    return ends[0];
}
