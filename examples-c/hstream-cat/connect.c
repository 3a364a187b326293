/* The client, with all options of the command line. */

#include "cat.h"

int connect_client(struct app *app)
{
    hstream_error_t *err = NULL;
    return ok(hstream_client_connect(app->client_options, app->call, &app->client, &err), &err, "connect");
}
