/* hstream-cat copies records between HStreamDB and standard input and output. --help tells how. */

#include "cat.h"

static int run(struct app *app)
{
    switch (app->mode) {
    case PRODUCE: return produce(app);
    case CONSUME: return consume(app);
    case READ: return read_records(app);
    case LIST: return list_all(app);
    default: return doctor(app);
    }
}

/* Doctor wants to know why there is no connection, the others want one. */
static int start(struct app *app)
{
    hstream_error_t *err = NULL;
    app->call = hstream_call_new();
    return made(app->call) && ok(hstream_cancel_new(&app->cancel, &err), &err, "start") && watch_signals(app) &&
           ok(hstream_call_set_cancel(app->call, app->cancel), NULL, "start") &&
           (app->mode == DOCTOR || connect_client(app));
}

int main(int argc, char **argv)
{
    struct app app = {.idle_ms = 5000};
    int exit_code = EXIT_BAD;
    if (hstream_check_abi(HSTREAM_ABI_VERSION) != HSTREAM_OK)
        return complain("library", "another version than the one compiled for"), EXIT_BAD;
    if (ignore_closed_output() && make_settings(&app) && parse_command_line(&app, argc, argv, &exit_code))
        exit_code = start(&app) ? run(&app) : EXIT_BAD;
    hstream_client_free(app.client);
    hstream_call_free(app.call);
    free_settings(&app);
    /* The cancel object stays: a signal may come until the end. */
    return caught_signal() ? EXIT_SIGNAL + caught_signal() : exit_code;
}
