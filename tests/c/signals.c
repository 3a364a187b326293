/* Signals are the host's: nothing of them is changed, no thread of ours takes one, SIGPIPE ends nobody, and handlers
 * may trigger cancel objects. With the argument "no-masks" those of our threads are not looked at. Linux only. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"

/* ---- What was set stays set ------------------------------------------------------------------------------ */

#define SIGNALS 64

struct signals {
    struct sigaction actions[SIGNALS + 1];
    sigset_t mask;
};

static void look(struct signals *signals)
{
    memset(signals, 0, sizeof *signals);
    for (int number = 1; number <= SIGNALS; number++)
        (void)sigaction(number, NULL, &signals->actions[number]);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &signals->mask) == 0);
}

/* But for one that the C library sets for itself with each handler. */
static int flags_of(const struct signals *signals, int number)
{
    return signals->actions[number].sa_flags & ~0x04000000;
}

static void are_equal(const struct signals *one, const struct signals *other)
{
    for (int number = 1; number <= SIGNALS; number++) {
        CHECK(one->actions[number].sa_handler == other->actions[number].sa_handler);
        CHECK(flags_of(one, number) == flags_of(other, number));
        CHECK(sigismember(&one->mask, number) == sigismember(&other->mask, number));
    }
}

/* Whether a thread that is called so and blocks this is one of ours that blocks all that it should. */
static int blocks_all(const char *blocked)
{
    unsigned long long mask = strtoull(blocked, NULL, 16);
    static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    /* These two can't be blocked, the next two are the C library's own. */
    unsigned long long expected = ~0ULL & ~(1ULL << (SIGKILL - 1)) & ~(1ULL << (SIGSTOP - 1)) & ~(3ULL << 31);
    for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; i++)
        expected &= ~(1ULL << (synchronous[i] - 1));
    return (mask & ~(3ULL << 31)) == expected;
}

/* All threads but this one are ours. */
static int our_threads_block_all(void)
{
    DIR *directory = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;

    if (!CHECK(directory != NULL))
        return 0;
    while ((entry = readdir(directory)) != NULL) {
        char path[300], line[256], name[64] = "";
        if (atol(entry->d_name) <= 0 || atol(entry->d_name) == (long)getpid())
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue; /* it has ended meanwhile */
        while (fgets(line, sizeof line, file) != NULL) {
            sscanf(line, "Name: %63s", name);
            if (strncmp(line, "SigBlk:", 7) == 0)
                check(blocks_all(line + 7), "a thread takes signals", __LINE__, name);
        }
        count++;
        fclose(file);
    }
    closedir(directory);
    return count;
}

/* ---- A peer that goes away while it is written to ---------------------------------------------------------- */

struct peer {
    int listener;
    struct counter accepted;
};

/* Takes connections, and breaks each with bytes unread: who goes on writing meets a reset, and then EPIPE. */
static void *break_connections(void *data)
{
    struct peer *peer = (struct peer *)data;
    for (;;) {
        char byte;
        struct linger linger = {1, 0};
        int connection = accept(peer->listener, NULL, NULL);
        if (connection < 0)
            return NULL;
        add(&peer->accepted, 1);
        (void)!read(connection, &byte, 1);
        setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        close(connection);
    }
}

static void a_peer_that_goes_away_ends_nobody(void)
{
    struct peer peer = {socket(AF_INET, SOCK_STREAM, 0), COUNTER};
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_call_t *call = hstream_call_new();
    hstream_client_t *client = NULL;
    pthread_t thread;
    char url[64], *large = (char *)calloc(1, 1000000);

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(peer.listener, (struct sockaddr *)&address, size) == 0 && listen(peer.listener, 16) == 0);
    CHECK(getsockname(peer.listener, (struct sockaddr *)&address, &size) == 0);
    CHECK(pthread_create(&thread, NULL, break_connections, &peer) == 0);
    snprintf(url, sizeof url, "hstream://127.0.0.1:%d", ntohs(address.sin_port));
    OK(hstream_client_options_set_url(options, url, NULL));
    OK(hstream_client_options_set_lazy_connect(options, 1));
    OK(hstream_client_options_set_retry(options, 10, 1, 10));
    OK(hstream_client_connect(options, NULL, &client, NULL));
    OK(hstream_call_set_timeout_ms(call, 500));
    for (int i = 0; i < 5; i++) {
        char *text;
        memset(large, 'x', 999999);
        CHECK(hstream_client_echo(client, large, call, &text, NULL, NULL) != HSTREAM_OK);
    }
    CHECK(value_of(&peer.accepted) >= 5);
    shutdown(peer.listener, SHUT_RDWR);
    CHECK(pthread_join(thread, NULL) == 0);
    close(peer.listener);
    hstream_client_free(client);
    hstream_call_free(call);
    hstream_client_options_free(options);
    free(large);
}

/* The same with a server that is killed under a load of appends. */
static void a_server_that_is_killed_ends_nobody(hstream_dev_server_t *server, hstream_client_t *client)
{
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    uint64_t failed = 7, unknown = 7;
    char payload[10000] = "x";

    OK(hstream_producer_new(client, NULL, &producer, NULL));
    OK(hstream_producer_open(producer, "signals", NULL, &appender, NULL));
    for (int i = 0; i < 300; i++) {
        OK(hstream_appender_append_raw(appender, NULL, 0, payload, sizeof payload, 0, LONG_MS, NULL, NULL));
        if (i % 100 == 50) {
            OK(hstream_dev_server_set(server, "kill_node", "0", NULL));
            OK(hstream_dev_server_set(server, "restart_node", "0", NULL));
        }
    }
    OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, &failed, &unknown, NULL));
    CHECK(failed == 0 && unknown == 0 && hstream_producer_pending_records(producer) == 0);
    hstream_appender_free(appender);
    hstream_producer_free(producer);
}

/* ---- Handlers ---------------------------------------------------------------------------------------------- */

static hstream_cancel_t *cancel;
static volatile sig_atomic_t handled, errno_kept;

static void on_signal(int number)
{
    (void)number;
    errno = 77;
    hstream_cancel_trigger(cancel);
    errno_kept = errno == 77;
    handled++;
}

static void *send_signals(void *data)
{
    pthread_t waiting = *(pthread_t *)data;
    nap(50); /* to meet it waiting, most of the time; before counts as well */
    CHECK(pthread_kill(waiting, SIGUSR1) == 0);
    return NULL;
}

static void handlers_may_trigger(hstream_client_t *client)
{
    struct sigaction action, before;
    hstream_consumer_t *consumer = NULL;
    pthread_t thread, self = pthread_self();

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    OK(hstream_cancel_new(&cancel, NULL));
    CHECK(sigaction(SIGUSR1, &action, &before) == 0);
    OK(hstream_client_create_stream(client, "silent", NULL, NULL, NULL, NULL));
    OK(hstream_client_create_subscription(client, "silent", "silent", NULL, NULL, NULL, NULL));
    OK(hstream_consumer_new(client, "silent", NULL, NULL, &consumer, NULL));
    for (int i = 0; i < 5; i++) {
        hstream_batch_t *batch = NULL;
        hstream_cancel_reset(cancel);
        CHECK(pthread_create(&thread, NULL, send_signals, &self) == 0);
        CODE(HSTREAM_ERR_INTERRUPTED, hstream_consumer_poll(consumer, 1, -1, cancel, &batch, NULL));
        CHECK(pthread_join(thread, NULL) == 0);
    }
    CHECK(handled == 5 && errno_kept);
    CHECK(sigaction(SIGUSR1, &before, NULL) == 0);
    hstream_consumer_free(consumer);
    hstream_cancel_free(cancel);
}

int main(int argc, char **argv)
{
    int has_masks = argc < 2 || strcmp(argv[1], "no-masks") != 0;
    struct signals before, during, after;
    hstream_dev_server_t *server = NULL;
    sigset_t own;

    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    /* A mask of the host's own, which is to be as it was. */
    sigemptyset(&own);
    sigaddset(&own, SIGHUP);
    CHECK(pthread_sigmask(SIG_SETMASK, &own, NULL) == 0);
    look(&before);
    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    hstream_client_t *client = client_at(hstream_dev_server_url(server, NULL));
    make_stream(client, "signals");
    look(&during);
    are_equal(&before, &during);
    CHECK(!has_masks || our_threads_block_all() >= 1);
    a_server_that_is_killed_ends_nobody(server, client);
    CHECK(!has_masks || our_threads_block_all() >= 1);
    a_peer_that_goes_away_ends_nobody();
    handlers_may_trigger(client);
    hstream_client_free(client);
    hstream_dev_server_free(server);
    look(&after);
    are_equal(&before, &after);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
