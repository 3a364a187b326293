/* The library as a plugin: loaded for itself alone, used, unloaded, and used by a thread that ends after that. The
 * argument is the library's path. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>

#include "harness.h"

/* Only by these, so that this program does not link the library. */
static uint64_t (*live_handles)(void);
static hstream_code_t (*start)(uint32_t, hstream_dev_server_t **, hstream_error_t **);
static const char *(*url_of)(hstream_dev_server_t *, size_t *);
static void (*free_server)(hstream_dev_server_t *);
static hstream_client_options_t *(*options_new)(void);
static hstream_code_t (*set_url)(hstream_client_options_t *, const char *, hstream_error_t **);
static void (*options_free)(hstream_client_options_t *);
static hstream_code_t (*connect_to)(const hstream_client_options_t *, const hstream_call_t *, hstream_client_t **,
                                    hstream_error_t **);
static hstream_code_t (*refresh)(hstream_client_t *, const hstream_call_t *, hstream_error_t **);
static void (*free_client)(hstream_client_t *);

static void find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    check(found != NULL, name, __LINE__, "is not in the library");
    memcpy(function, &found, sizeof found);
}

static void *load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    find(library, "hstream_live_handles", &live_handles);
    find(library, "hstream_dev_server_start", &start);
    find(library, "hstream_dev_server_url", &url_of);
    find(library, "hstream_dev_server_free", &free_server);
    find(library, "hstream_client_options_new", &options_new);
    find(library, "hstream_client_options_set_url", &set_url);
    find(library, "hstream_client_options_free", &options_free);
    find(library, "hstream_client_connect", &connect_to);
    find(library, "hstream_client_refresh", &refresh);
    find(library, "hstream_client_free", &free_client);
    /* Its names are for who has loaded it. */
    CHECK(dlsym(RTLD_DEFAULT, "hstream_live_handles") == NULL);
    return library;
}

#define FINE(call) CHECK((call) == HSTREAM_OK)

static void use(void)
{
    hstream_dev_server_t *server = NULL;
    hstream_client_options_t *options = options_new();
    hstream_client_t *client = NULL;

    FINE(start(1, &server, NULL));
    FINE(set_url(options, url_of(server, NULL), NULL));
    FINE(connect_to(options, NULL, &client, NULL));
    FINE(refresh(client, NULL, NULL));
    options_free(options);
    free_client(client);
    free_server(server);
    CHECK(live_handles() == 0);
}

static struct counter used = COUNTER, unloaded = COUNTER;

/* What the library keeps for a thread goes when that ends: its code must still be there. */
static void *use_and_end_after_the_unloading(void *data)
{
    (void)data;
    use();
    add(&used, 1);
    UNTIL(value_of(&unloaded) == 1);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    int threads = thread_count();

    if (!CHECK(argc == 2))
        return 2;
    void *library = load(argv[1]);
    CHECK(pthread_create(&thread, NULL, use_and_end_after_the_unloading, NULL) == 0);
    UNTIL(value_of(&used) == 1);
    CHECK(dlclose(library) == 0);
    add(&unloaded, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(thread_count() == threads);
    for (int i = 0; i < 3; i++) {
        library = load(argv[1]);
        use();
        CHECK(dlclose(library) == 0);
    }
    CHECK(thread_count() == threads);
    return failures != 0;
}
