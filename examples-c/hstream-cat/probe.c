/* The steps of doctor below the protocol: the name, and a TCP connection to each of its addresses. */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cat.h"

#define PATIENCE_MS 3000
#define ADDRESS_SIZE 64 /* an IPv6 address with its scope */

void tell(const char *step, const char *verdict, const char *what)
{
    printf("  %-8s %-5s %s\n", step, verdict, what);
}

int advise(const char *what)
{
    printf("                 -> %s\n", what);
    return 0;
}

static void advise_about(int is_advertised)
{
    if (is_advertised)
        advise("servers tell clients this address: have them advertise one that can be reached from here, or map it "
               "by -X map.address=ADVERTISED=REACHABLE");
}

/* The error of connecting, 0 if it connected. */
static int wait_connected(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;
    int ready = poll(&wait, 1, PATIENCE_MS);
    if (ready <= 0)
        return ready == 0 ? ETIMEDOUT : errno;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

static int connect_error(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (fd < 0)
        return errno;
    int error = fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
    if (!error && connect(fd, address->ai_addr, address->ai_addrlen) != 0)
        error = errno == EINPROGRESS ? wait_connected(fd) : errno;
    close(fd);
    return error;
}

/* Numbers only, so it can't fail for want of a name. */
static const char *shown(const struct addrinfo *address, char text[ADDRESS_SIZE])
{
    int flags = NI_NUMERICHOST;
    int failed = getnameinfo(address->ai_addr, address->ai_addrlen, text, ADDRESS_SIZE, NULL, 0, flags);
    return failed ? "?" : text;
}

/* One address that answers is enough: clients try them all. */
static int can_connect(const struct addrinfo *addresses, const char *port)
{
    char numbers[ADDRESS_SIZE], line[ADDRESS_SIZE + 128];
    int good = 0, last = 0;
    for (const struct addrinfo *it = addresses; it; it = it->ai_next) {
        int error = connect_error(it);
        snprintf(line, sizeof line, "%s port %s%s%s", shown(it, numbers), port, error ? ": " : "",
                 error ? strerror(error) : "");
        tell("tcp", error ? "FAIL" : "ok", line);
        good |= error == 0;
        last = error;
    }
    if (!good && last == ECONNREFUSED)
        advise("nothing listens there: is the server started, and is this its port? 6570 is the default");
    else if (!good)
        advise("no way there: a firewall, or another network");
    return good;
}

int can_reach(const char *host, const char *port, int is_advertised)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *addresses = NULL;
    char numbers[ADDRESS_SIZE];
    int error = getaddrinfo(host, port, &hints, &addresses);
    if (error) {
        tell("name", "FAIL", gai_strerror(error));
        advise("is the name right, and known to the resolver of this machine?");
        advise_about(is_advertised);
        return 0;
    }
    tell("name", "ok", shown(addresses, numbers));
    int good = can_connect(addresses, port);
    freeaddrinfo(addresses);
    if (!good)
        advise_about(is_advertised);
    return good;
}
