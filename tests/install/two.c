/* Two Rust libraries in one program: each works, and neither is used for the other. */
#include <hstreamdb.h>
#include <string.h>

int other_library(void);

int main(void)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_error_t *err = NULL;
    hstream_code_t code = hstream_client_options_set_url(options, "ftp://nowhere", &err);
    int told = code != HSTREAM_OK && strstr(hstream_error_message(err, NULL), "ftp") != NULL;

    hstream_error_free(err);
    hstream_client_options_free(options);
    return told && other_library() == 7 && hstream_live_handles() == 0 ? 0 : 1;
}
