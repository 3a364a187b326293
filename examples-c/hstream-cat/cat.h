/* What the files of hstream-cat share. Functions that can fail return 1 when all is well, and 0 after they have said on
 * standard error what is not. */

#ifndef HSTREAM_CAT_H
#define HSTREAM_CAT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "hstreamdb.h"

#define PROGRAM "hstream-cat"
#define DEFAULT_URL "hstream://127.0.0.1:6570"

/* How long the end of the program may take: acks and records under way. */
#define FAREWELL_MS 10000

enum exit_code { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_USAGE = 2, EXIT_SIGNAL = 128 };

enum mode { NO_MODE, PRODUCE, CONSUME, READ, LIST, DOCTOR };

/* What the command line asks for, and what is made of it. */
struct app {
    enum mode mode;
    const char *subject; /* the stream or subscription */
    const char *key_delimiter, *format, *from, *key, *temporary_of;
    uint64_t shard, count; /* count: 0 is all */
    int has_shard, json, to_end, verbose;
    int64_t idle_ms;

    hstream_client_options_t *client_options;
    hstream_producer_options_t *producer_options;
    hstream_consumer_options_t *consumer_options;
    hstream_reader_options_t *reader_options;
    hstream_subscription_options_t *subscription_options;
    hstream_cancel_t *cancel; /* triggered by signals */
    hstream_call_t *call;     /* ended by it */
    hstream_client_t *client;

    int problems; /* records that could not be written or shown */
};

/* complain.c */
int complain(const char *what, const char *why);
int ok(hstream_code_t code, hstream_error_t **err, const char *what);
int made(const void *handle);

/* command_line.c: 1, or 0 to end with this exit code. */
int parse_command_line(struct app *app, int argc, char **argv, int *exit_code);

/* settings.c: -X KEY=VALUE and the file of such lines. */
int make_settings(struct app *app);
void free_settings(struct app *app);
int set_pair(struct app *app, const char *pair);
int set_file(struct app *app, const char *path);
int set_compression(struct app *app, const char *text);

/* signals.c */
int ignore_closed_output(void);
int watch_signals(struct app *app);
int caught_signal(void);
int signal_fd(void); /* readable once a signal was caught */

/* lines.c: standard input by lines, whose end a signal can be. */
struct lines {
    char *buffer;
    size_t start, end, room;
    int at_end, failed;
};
int next_line(struct lines *lines, char **line, size_t *len);
void free_lines(struct lines *lines);

/* output.c: 0 only when nothing more can be written; the reason is told unless the reader has gone. */
int check_format(const char *format);
int print_batch(struct app *app, const hstream_batch_t *batch);
int flush_output(void);
int reader_has_gone(void);

/* json.c */
void print_json_text(FILE *file, const char *text, size_t len);
void print_json_bytes(FILE *file, const char *name, const void *bytes, size_t len);
const char *value_of(const char *object, const char *key);

/* connect.c: with the options as they are then. */
int connect_client(struct app *app);

/* The modes: the exit code. */
int produce(struct app *app);
int consume(struct app *app);
int read_records(struct app *app);
int list_all(struct app *app);
int doctor(struct app *app);


/* probe.c: the steps of doctor that need no library. */
void tell(const char *step, const char *verdict, const char *what);
int advise(const char *what);
int can_reach(const char *host, const char *port, int is_advertised);

#endif
