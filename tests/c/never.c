/* Who links the library and never calls it has nothing of it: no thread, no descriptor, no changed signal. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "harness.h"

int main(int argc, char **argv)
{
    struct sigaction action;
    (void)argv;
    /* For the linker, which would leave the library out. */
    if (argc > 100)
        return hstream_init(NULL, NULL);
    CHECK(thread_count() == 1);
    /* Those of the parent were not closed by the exec; one that would be is of this process. */
    for (int descriptor = 3; descriptor < 64; descriptor++)
        CHECK(fcntl(descriptor, F_GETFD) == -1 || (fcntl(descriptor, F_GETFD) & FD_CLOEXEC) == 0);
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP)
            CHECK(sigaction(number, NULL, &action) == 0 && (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN));
    return failures != 0;
}
