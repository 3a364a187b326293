/* Encrypted connections. Arguments: the URL of a server that wants certificates and credentials, and a directory
 * with ca.pem, client.pem and client.key. A line on stdout asks for something: "server" for a new one with other
 * certificates at the same address, "files" for those that fit it; a line on stdin says that it is done. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hstreamdb.h"

#define LONG_MS 30000

static int failures;
static const char *url, *directory;

#define CHECK(condition) check(!!(condition), #condition, __LINE__, NULL)
#define OK(call) check_code((call), HSTREAM_OK, #call, __LINE__)
#define CODE(wanted, call) check_code((call), (wanted), #call, __LINE__)

static int check(int good, const char *what, int line, const char *why)
{
    if (!good) {
        fprintf(stderr, "line %d: %s%s%s\n", line, what, why ? ": " : "", why ? why : "");
        failures++;
    }
    return good;
}

static int check_code(hstream_code_t code, hstream_code_t wanted, const char *what, int line)
{
    return check(code == wanted, what, line, hstream_code_name(code));
}

/* Valid until the next call. */
static const char *path_of(const char *name, char path[1024])
{
    snprintf(path, 1024, "%s/%s", directory, name);
    return path;
}

static size_t content(const char *name, char *text, size_t room)
{
    char path[1024];
    FILE *file = fopen(path_of(name, path), "r");
    size_t len = file ? fread(text, 1, room, file) : 0;
    if (file)
        fclose(file);
    CHECK(len > 0 && len < room);
    return len;
}

static void wish(const char *what)
{
    char line[16];
    printf("%s\n", what);
    fflush(stdout);
    CHECK(fgets(line, sizeof line, stdin) != NULL);
}

static hstream_client_options_t *trusting(void)
{
    char path[1024];
    hstream_client_options_t *options = hstream_client_options_new();
    OK(hstream_client_options_set_url(options, url, NULL));
    OK(hstream_client_options_set_tls_ca_file(options, path_of("ca.pem", path), NULL));
    OK(hstream_client_options_set_basic_auth(options, "aladdin", "opensesame", HSTREAM_NTS, NULL));
    return options;
}

static hstream_client_options_t *by_files(void)
{
    char cert[1024], key[1024];
    hstream_client_options_t *options = trusting();
    OK(hstream_client_options_set_tls_identity_files(options, path_of("client.pem", cert),
                                                     path_of("client.key", key), NULL));
    return options;
}

static hstream_client_options_t *from_memory(void)
{
    char cert[8192], key[8192], ca[8192];
    hstream_client_options_t *options = hstream_client_options_new();
    OK(hstream_client_options_set_url(options, url, NULL));
    OK(hstream_client_options_set_tls_ca_pem(options, ca, content("ca.pem", ca, sizeof ca), NULL));
    size_t cert_len = content("client.pem", cert, sizeof cert), key_len = content("client.key", key, sizeof key);
    OK(hstream_client_options_set_tls_identity_pem(options, cert, cert_len, key, key_len, NULL));
    OK(hstream_client_options_set_basic_auth(options, "aladdin", "opensesame", HSTREAM_NTS, NULL));
    return options;
}

/* Connects, and frees the options. */
static hstream_code_t connected(hstream_client_options_t *options, hstream_client_t **client)
{
    hstream_code_t code = hstream_client_connect(options, NULL, client, NULL);
    hstream_client_options_free(options);
    return code;
}

static void append_and_consume(hstream_client_t *client, const char *name)
{
    hstream_subscription_options_t *from = hstream_subscription_options_new();
    hstream_consumer_t *consumer = NULL;
    hstream_batch_t *batch = NULL;

    OK(hstream_subscription_options_set_start(from, HSTREAM_OFFSET_EARLIEST));
    OK(hstream_client_create_stream(client, name, NULL, NULL, NULL, NULL));
    OK(hstream_client_create_subscription(client, name, name, from, NULL, NULL, NULL));
    hstream_subscription_options_free(from);
    OK(hstream_client_append_raw(client, name, NULL, 0, "secret", 6, NULL, NULL, NULL));
    OK(hstream_consumer_new(client, name, NULL, NULL, &consumer, NULL));
    OK(hstream_consumer_poll(consumer, 1, LONG_MS, NULL, &batch, NULL));
    CHECK(hstream_batch_count(batch) == 1);
    OK(hstream_consumer_ack_batch(consumer, batch, NULL));
    hstream_batch_free(batch);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
}

static hstream_code_t echo(hstream_client_t *client)
{
    char *text = NULL;
    hstream_code_t code = hstream_client_echo(client, "x", NULL, &text, NULL, NULL);
    if (code == HSTREAM_OK)
        hstream_string_free(text);
    return code;
}

static void refusals(void)
{
    hstream_client_t *client = NULL;
    hstream_client_options_t *options;

    /* Without a certificate of our own. */
    CODE(HSTREAM_ERR_TLS, connected(trusting(), &client));
    options = by_files();
    OK(hstream_client_options_set_tls_server_name(options, "other.example", NULL));
    CODE(HSTREAM_ERR_TLS, connected(options, &client));
    options = by_files();
    OK(hstream_client_options_set_basic_auth(options, "aladdin", "closesesame", HSTREAM_NTS, NULL));
    CODE(HSTREAM_ERR_GRPC_UNAUTHENTICATED, connected(options, &client));
    CHECK(client == NULL);
}

static void passwords(hstream_client_t *client)
{
    OK(hstream_client_set_basic_auth(client, "aladdin", "closesesame", HSTREAM_NTS, NULL));
    CODE(HSTREAM_ERR_GRPC_UNAUTHENTICATED, echo(client));
    OK(hstream_client_set_basic_auth(client, "aladdin", "opensesame", HSTREAM_NTS, NULL));
    OK(echo(client));
}

int main(int argc, char **argv)
{
    hstream_client_t *client = NULL, *other = NULL;
    hstream_client_options_t *options;

    if (argc != 3)
        return 2;
    url = argv[1];
    directory = argv[2];
    CHECK(strncmp(url, "hstreams://", 11) == 0);
    refusals();
    if (!OK(connected(from_memory(), &client)))
        return 1;
    append_and_consume(client, "memory");
    hstream_client_free(client);

    options = by_files();
    OK(hstream_client_options_set_tls_server_name(options, "node.example", NULL));
    if (!OK(connected(options, &client)))
        return 1;
    append_and_consume(client, "files");
    passwords(client);

    wish("server");
    CODE(HSTREAM_ERR_TLS, echo(client));
    CODE(HSTREAM_ERR_TLS, connected(from_memory(), &other));
    wish("files");
    OK(hstream_client_reload_tls(client, NULL));
    OK(echo(client));
    append_and_consume(client, "again");
    hstream_client_free(client);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
