/*
 * Connects with TLS, a certificate of its own and a token, and appends a record.
 *
 *     tls hstreams://HOST[:PORT] STREAM CA CERTIFICATE KEY TOKEN
 *
 * CA, CERTIFICATE and KEY are PEM files. TOKEN is what follows `Basic` in the header: base64 of USER:PASSWORD.
 */

#include <stdio.h>

#include "hstreamdb.h"

/* Tells refused certificates and credentials apart from all else. */
static const char *kind_of(hstream_code_t code)
{
    if (code == HSTREAM_ERR_TLS)
        return "not trusted";
    return hstream_code_category(code) == HSTREAM_CATEGORY_DENIED ? "not allowed" : "failed";
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: tls hstreams://HOST[:PORT] STREAM CA CERTIFICATE KEY TOKEN\n");
        return 2;
    }
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *client = NULL;
    hstream_error_t *err = NULL;
    char *shown = NULL;

    hstream_code_t code = hstream_client_options_set_url(options, argv[1], &err);
    if (code == HSTREAM_OK)
        code = hstream_client_options_set_tls_ca_file(options, argv[3], &err);
    if (code == HSTREAM_OK)
        code = hstream_client_options_set_tls_identity_files(options, argv[4], argv[5], &err);
    if (code == HSTREAM_OK)
        code = hstream_client_options_set_auth_token(options, argv[6], HSTREAM_NTS, &err);
    /* Secrets never come out again. */
    if (code == HSTREAM_OK)
        code = hstream_client_options_get(options, "auth.token", &shown, NULL, &err);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, NULL, &client, &err);
    if (code == HSTREAM_OK)
        code = hstream_client_append_raw(client, argv[2], NULL, 0, "secret", 6, NULL, NULL, &err);
    /* Files that were renewed are read again for new connections; a client notices that by itself as well. */
    if (code == HSTREAM_OK)
        code = hstream_client_reload_tls(client, &err);
    if (code == HSTREAM_OK)
        printf("appended with the token %s\n", shown);
    else
        fprintf(stderr, "tls: %s: %s\n", kind_of(code), hstream_error_message(err, NULL));

    hstream_string_free(shown);
    hstream_error_free(err);
    hstream_client_free(client);
    hstream_client_options_free(options);
    return code == HSTREAM_OK ? 0 : 1;
}
