/* doctor: each seed and each node that the servers name is tried alone, step by step: name, TCP, TLS, credentials,
 * version. The first step that fails is told with what to change. */

#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cat.h"

#define OLDEST_MINOR 15 /* of version 0 */

struct visit {
    struct app *app;
    hstream_client_t *client; /* of the first seed that answered */
    char seed[512];           /* and that seed */
    int is_tls, failures;
};

/* ---- What the library says ------------------------------------------------------------------------------ */

/* The library's words for what can be wrong, and what a user of this program does about it. */
static const struct {
    const char *part, *advice;
} TLS_ADVICE[] = {
    {"not trusted here", "-X tls.ca.file=FILE names the CA that the server's certificate is from"},
    {"for another name", "use the certificate's name in the URL, or -X tls.server.name=NAME"},
    {"expired", "the server needs a new certificate, or a clock is wrong"},
    {"not valid yet", "a clock is wrong, here or where the certificate was made"},
    {"wants a client certificate", "-X tls.identity.files=CERTIFICATE,KEY"},
    {"does not speak TLS", "use hstream:// in the URL"},
    {"dialled without", "use hstreams:// in the URL"},
};

static void advise_about_tls(const char *message)
{
    size_t count = sizeof TLS_ADVICE / sizeof *TLS_ADVICE;
    for (size_t i = 0; i < count; i++)
        if (strstr(message, TLS_ADVICE[i].part)) {
            advise(TLS_ADVICE[i].advice);
            return;
        }
    advise("look at the options that begin with tls., and at the server's certificate");
}

static int has_option(struct app *app, const char *key)
{
    char *value = NULL;
    int has = hstream_client_options_get(app->client_options, key, &value, NULL, NULL) == HSTREAM_OK && *value;
    hstream_string_free(value);
    return has;
}

static void advise_about_credentials(struct app *app)
{
    if (has_option(app, "auth.token") || has_option(app, "basic.auth.user"))
        advise("the server does not take these credentials: -X auth.token=..., or basic.auth.user and .password");
    else
        advise("the server asks for credentials: -X auth.token=..., or basic.auth.user and .password; -F keeps them "
               "private");
}

/* Tells how far a call came. */
static int judge(struct visit *visit, hstream_code_t code, hstream_error_t *err)
{
    const char *message = hstream_error_message(err, NULL);
    int is_denied = hstream_code_category(code) == HSTREAM_CATEGORY_DENIED;
    if (code == HSTREAM_ERR_TLS) {
        tell("tls", "FAIL", message);
        advise_about_tls(message);
    } else if (code == HSTREAM_ERR_UNSUPPORTED) {
        tell("version", "FAIL", message);
        advise("upgrade the server");
    } else if (hstream_code_category(code) == HSTREAM_CATEGORY_CALLER) {
        tell("options", "FAIL", message); /* it was not even tried */
    } else if (code != HSTREAM_OK && !is_denied) {
        tell("answer", "FAIL", message);
        if (!visit->is_tls)
            advise("if the server speaks TLS, use hstreams:// in the URL");
        advise("if it has just started, it may need some seconds; otherwise its log tells more");
    } else {
        tell("tls", visit->is_tls ? "ok" : "-", visit->is_tls ? "encrypted, certificate trusted" : "not asked for");
        tell("auth", is_denied ? "FAIL" : "ok", is_denied ? message : "accepted");
        if (is_denied)
            advise_about_credentials(visit->app);
    }
    hstream_error_free(err);
    return code == HSTREAM_OK;
}

/* ---- Addresses ------------------------------------------------------------------------------------------ */

/* Cuts "host:port", "host" or "[address]:port" apart; the default port where none is given. */
static void split(char *address, const char **host, const char **port)
{
    char *bracket = address[0] == '[' ? strchr(address, ']') : NULL;
    char *colon = strrchr(bracket ? bracket : address, ':');
    *port = colon ? colon + 1 : "6570";
    if (colon)
        *colon = '\0';
    if (bracket)
        *bracket = '\0';
    *host = bracket ? address + 1 : address;
}

/* The text of an option, to be freed with hstream_string_free. */
static char *option(struct app *app, const char *key)
{
    char *value = NULL;
    hstream_error_t *err = NULL;
    return ok(hstream_client_options_get(app->client_options, key, &value, NULL, &err), &err, key) ? value : NULL;
}

/* Name and TCP of an address, as the map of addresses has it. */
static int can_reach_mapped(struct visit *visit, const char *advertised)
{
    char address[512];
    const char *host, *port;
    char *map = option(visit->app, "map.address"), *left = map;
    snprintf(address, sizeof address, "%s", advertised);
    for (char *pair; left && (pair = strtok_r(left, ",", &left));) {
        size_t len = strlen(advertised);
        if (strncmp(pair, advertised, len) == 0 && pair[len] == '=') {
            snprintf(address, sizeof address, "%s", pair + len + 1);
            tell("map", "ok", address);
        }
    }
    hstream_string_free(map);
    split(address, &host, &port);
    return can_reach(host, port, 1);
}

/* ---- Seeds ---------------------------------------------------------------------------------------------- */

/* A client of this address alone that gives up soon. */
static hstream_code_t connect_to(struct visit *visit, const char *address, hstream_client_t **client,
                                 hstream_error_t **err)
{
    static const char *const hasty[][2] = {
        {"connect.timeout.ms", "3000"}, {"request.timeout.ms", "5000"}, {"retry.max.attempts", "1"}};
    char url[600];
    hstream_client_options_t *options = hstream_client_options_clone(visit->app->client_options);
    snprintf(url, sizeof url, "%s://%s", visit->is_tls ? "hstreams" : "hstream", address);
    hstream_code_t code = hstream_client_options_set_url(options, url, err);
    for (size_t i = 0; i < 3 && code == HSTREAM_OK; i++)
        code = hstream_client_options_set(options, hasty[i][0], hasty[i][1], err);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, visit->app->call, client, err);
    hstream_client_options_free(options);
    return code;
}

static void visit_seed(struct visit *visit, const char *seed)
{
    char address[512];
    const char *host, *port;
    hstream_client_t *client = NULL;
    hstream_error_t *err = NULL;

    printf("seed %s\n", seed);
    snprintf(address, sizeof address, "%s", seed);
    split(address, &host, &port);
    int good = can_reach(host, port, 0);
    if (good) {
        hstream_code_t code = connect_to(visit, seed, &client, &err);
        good = judge(visit, code, err);
    }
    visit->failures += !good;
    if (visit->client || !good) {
        hstream_client_free(client);
    } else {
        visit->client = client;
        snprintf(visit->seed, sizeof visit->seed, "%s", seed);
    }
}

static void visit_seeds(struct visit *visit, const char *url)
{
    const char *hosts = strstr(url, "://");
    char *copy = strdup(hosts ? hosts + 3 : url), *left = copy;
    visit->is_tls = strncmp(url, "hstreams", 8) == 0 || strncmp(url, "https", 5) == 0;
    for (char *seed; left && (seed = strtok_r(left, ", /", &left)) && !caught_signal();)
        visit_seed(visit, seed);
    free(copy);
}

/* ---- Nodes ---------------------------------------------------------------------------------------------- */

static int check_version(const char *version)
{
    unsigned major = 0, minor = 0;
    int known = sscanf(version[0] == 'v' ? version + 1 : version, "%u.%u", &major, &minor) == 2;
    int good = !known || major > 0 || minor >= OLDEST_MINOR;
    tell("version", good ? "ok" : "FAIL", known ? version : "not told");
    return good || advise("servers before 0.15.0 lack much of what this client asks for");
}

static int check_state(const hstream_node_t *node)
{
    static const char *const names[] = {"starting", "running", "unavailable", "dead"};
    int32_t state = hstream_node_state(node);
    int good = state == HSTREAM_NODE_RUNNING;
    tell("state", good ? "ok" : "FAIL", state >= 0 && state < 4 ? names[state] : "unknown");
    return good || advise("the other servers do without it: look at it, and at its log");
}

/* For calls to this node and no other; NULL if that can't be. */
static hstream_call_t *call_to(struct visit *visit, const char *address)
{
    hstream_error_t *err = NULL;
    hstream_call_t *call = hstream_call_new();
    if (ok(hstream_call_set_node(call, address, &err), &err, address) &&
        ok(hstream_call_set_cancel(call, visit->app->cancel), NULL, address))
        return call;
    hstream_call_free(call);
    return NULL;
}

/* Asks this very node, by the way that the client goes. */
static int answers(struct visit *visit, const char *address)
{
    char *text = NULL;
    hstream_error_t *err = NULL;
    hstream_call_t *call = call_to(visit, address);
    if (!call)
        return 0;
    hstream_code_t code = hstream_client_echo(visit->client, PROGRAM, call, &text, NULL, &err);
    hstream_string_free(text);
    hstream_call_free(call);
    return judge(visit, code, err);
}

static void visit_node(struct visit *visit, const hstream_node_t *node)
{
    char address[512];
    const char *host = hstream_node_host(node, NULL);
    int is_v6 = strchr(host, ':') != NULL;
    snprintf(address, sizeof address, is_v6 ? "[%s]:%" PRIu32 : "%s:%" PRIu32, host, hstream_node_port(node));
    printf("node %" PRIu32 ", advertised as %s\n", hstream_node_id(node), address);
    int good = check_state(node) && can_reach_mapped(visit, address) && answers(visit, address);
    visit->failures += !(good && check_version(hstream_node_version(node, NULL)));
}

/* The seed is asked, which is known to answer: what servers advertise may lead nowhere. */
static void visit_nodes(struct visit *visit)
{
    hstream_cluster_t *cluster = NULL;
    hstream_error_t *err = NULL;
    hstream_call_t *call = call_to(visit, visit->seed);
    if (!call || !ok(hstream_client_describe_cluster(visit->client, call, &cluster, &err), &err, "cluster"))
        visit->failures++;
    hstream_call_free(call);
    for (size_t i = 0; i < hstream_cluster_node_count(cluster) && !caught_signal(); i++)
        visit_node(visit, hstream_cluster_node_at(cluster, i));
    hstream_cluster_free(cluster);
}

int doctor(struct app *app)
{
    struct visit visit = {.app = app};
    char *url = option(app, "url");
    if (url)
        visit_seeds(&visit, url);
    if (visit.client)
        visit_nodes(&visit);
    else
        visit.failures++;
    hstream_client_free(visit.client);
    hstream_string_free(url);
    if (visit.failures == 0)
        printf("all is well\n");
    return (flush_output() || reader_has_gone()) && visit.failures == 0 ? EXIT_GOOD : EXIT_BAD;
}
