/* The command line. */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cat.h"

static const char HELP[] =
    "Copies records between HStreamDB and standard input and output.\n"
    "\n"
    "Usage: hstream-cat -P STREAM [OPTIONS]         standard input to a stream, a record a line\n"
    "       hstream-cat -C SUBSCRIPTION [OPTIONS]   a subscription to standard output, with acks\n"
    "       hstream-cat -R STREAM [OPTIONS]         a stream to standard output, without a subscription\n"
    "       hstream-cat -L [OPTIONS]                nodes, streams, shards, subscriptions, consumers\n"
    "       hstream-cat doctor [OPTIONS]            whether each node can be reached, and what to change\n"
    "\n"
    "  -b, --url URL        hstream:// or hstreams:// (TLS), hosts by comma\n"
    "                       [default: hstream://127.0.0.1:6570]\n"
    "  -X KEY=VALUE         an option of the client, as tls.ca.file=ca.pem; of others with\n"
    "                       producer. consumer. reader. or subscription. before it\n"
    "  -F FILE              such lines from a file, which keeps passwords private\n"
    "  -c COUNT             end after so many records\n"
    "  -J                   -P: lines are JSON objects; otherwise: print JSON\n"
    "  -v                   tell what was done on standard error\n"
    "\n"
    "Producing:\n"
    "  -K DELIMITER         what stands before the first DELIMITER of a line is the key\n"
    "  -z KIND[:LEVEL]      none, gzip or zstd\n"
    "\n"
    "Consuming and reading:\n"
    "  -f FORMAT            %s payload, %k key, %i record id, %S shard, %T publish time in ms,\n"
    "                       %h attributes, %l and %K lengths of payload and key, %n new line,\n"
    "                       %% percent; \\n \\t \\r \\0 \\\\ [default: %s%n]\n"
    "  -e                   end at the end: -R at the last record that there is now; -C when all\n"
    "                       is acked, or nothing has come for as long as -I says\n"
    "  -I MS                how long nothing must come for -C -e to end [default: 5000]\n"
    "  -G STREAM            -C: create the subscription, and delete it at the end\n"
    "  -o OFFSET            -R: earliest [default], latest, a record id, or @MS since 1970;\n"
    "                       -C with -G: earliest [default] or latest\n"
    "  -k KEY               -R: the records of one key, to the last one\n"
    "  -s SHARD             -R: one shard\n"
    "\n"
    "  -h, --help           print this\n"
    "  -V, --version        print the versions of the program and the library\n"
    "\n"
    "Exit status: 0 all was done; 1 something failed, or a record was not written or could not\n"
    "be read, each named on standard error, or doctor found something; 2 the command line makes\n"
    "no sense; 130 after SIGINT, 143 after SIGTERM. That nobody reads the output any more is no\n"
    "failure.\n";

static int usage(const char *what, const char *why)
{
    complain(what, why);
    fprintf(stderr, "usage: " PROGRAM " -P|-C|-R NAME, -L or doctor, with options; --help tells all\n");
    return 0;
}

static int set_mode(struct app *app, enum mode mode, const char *subject)
{
    if (app->mode != NO_MODE)
        return usage("mode", "one of -P, -C, -R, -L and doctor");
    app->mode = mode;
    app->subject = subject;
    return 1;
}

static int number(const char *text, uint64_t *value, const char *option)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0) || usage(option, "not a number");
}

static int set_url(struct app *app, const char *url)
{
    hstream_error_t *err = NULL;
    return ok(hstream_client_options_set_url(app->client_options, url, &err), &err, "-b");
}

static int set_idle(struct app *app, const char *text)
{
    uint64_t ms;
    if (!number(text, &ms, "-I"))
        return 0;
    app->idle_ms = ms > INT32_MAX ? INT32_MAX : (int64_t)ms;
    return 1;
}

/* Delimiters are hard to type: \t is a tab. */
static const char *delimiter(const char *text)
{
    return strcmp(text, "\\t") == 0 ? "\t" : text;
}

static int take_option(struct app *app, int option, char *value)
{
    switch (option) {
    case 'P': return set_mode(app, PRODUCE, value);
    case 'C': return set_mode(app, CONSUME, value);
    case 'R': return set_mode(app, READ, value);
    case 'L': return set_mode(app, LIST, NULL);
    case 'b': return set_url(app, value);
    case 'X': return set_pair(app, value);
    case 'F': return set_file(app, value);
    case 'z': return set_compression(app, value);
    case 'c': return number(value, &app->count, "-c");
    case 's': app->has_shard = 1; return number(value, &app->shard, "-s");
    case 'I': return set_idle(app, value);
    case 'J': app->json = 1; return 1;
    case 'e': app->to_end = 1; return 1;
    case 'v': app->verbose = 1; return 1;
    case 'K': app->key_delimiter = delimiter(value); return 1;
    case 'f': app->format = value; return check_format(value);
    case 'G': app->temporary_of = value; return 1;
    case 'o': app->from = value; return 1;
    case 'k': app->key = value; return 1;
    default: return usage("options", "--help lists them");
    }
}

static int print_and_end(char option, int *exit_code)
{
    if (option == 'h')
        fputs(HELP, stdout);
    else
        printf(PROGRAM " %s, library %s\n", HSTREAM_VERSION_STRING, hstream_version_string());
    *exit_code = flush_output() || reader_has_gone() ? EXIT_GOOD : EXIT_BAD;
    return 0;
}

/* What one mode takes and another does not is an error: it would do less than was asked for. */
static int check(struct app *app)
{
    int is_consumer = app->mode == CONSUME, is_reader = app->mode == READ;
    hstream_error_t *err = NULL;
    if (app->mode == NO_MODE)
        return usage("mode", "one of -P, -C, -R, -L and doctor");
    if (app->key_delimiter && (app->mode != PRODUCE || !*app->key_delimiter))
        return usage("-K", "a text, with -P");
    if ((app->key || app->has_shard) && !is_reader)
        return usage("-k and -s", "with -R only");
    if (app->key && app->has_shard)
        return usage("-k and -s", "one of them: a key has its shard");
    if (app->temporary_of && !is_consumer)
        return usage("-G", "with -C only");
    if (app->from && !is_reader && !app->temporary_of)
        return usage("-o", "with -R, or with -C and -G");
    if ((app->format || app->to_end) && !is_consumer && !is_reader)
        return usage("-f and -e", "with -C and -R only");
    if (app->temporary_of && app->from)
        return ok(hstream_subscription_options_set(app->subscription_options, "start", app->from, &err), &err, "-o");
    return 1;
}

int parse_command_line(struct app *app, int argc, char **argv, int *exit_code)
{
    static const struct option longs[] = {{"url", required_argument, NULL, 'b'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {NULL, 0, NULL, 0}};
    int option, good = 1;
    *exit_code = EXIT_USAGE;
    if (argc > 1 && strcmp(argv[1], "doctor") == 0) {
        app->mode = DOCTOR;
        argc--;
        argv++;
    }
    while (good && (option = getopt_long(argc, argv, "P:C:R:Lb:X:F:c:Jz:K:f:eI:G:o:k:s:vhV", longs, NULL)) != -1) {
        if (option == 'h' || option == 'V')
            return print_and_end((char)option, exit_code);
        good = take_option(app, option, optarg);
    }
    if (good && optind < argc)
        good = usage(argv[optind], "not an option");
    good = good && check(app);
    if (!app->format)
        app->format = "%s%n";
    return good;
}
