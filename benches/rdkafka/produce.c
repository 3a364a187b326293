/* Produces records with librdkafka to its own mock broker, in this process: one partition, acks=1, one request in
 * flight, a report a record. Prints how many were written, the seconds it took, the CPU seconds of all but the
 * broker's thread, and those of the broker: produce SIZE COUNT
 * cc produce.c -lrdkafka -o produce */

#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define TOPIC "null"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int read_line(const char *thread, const char *file, char *line, int size)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/self/task/%s/%s", thread, file);
    FILE *stream = fopen(path, "r");
    int found = stream != NULL && fgets(line, size, stream) != NULL;
    if (stream != NULL)
        fclose(stream);
    return found;
}

/* Of the threads named rdk:mock. */
static double broker_cpu(void)
{
    double seconds = 0;
    DIR *threads = opendir("/proc/self/task");
    struct dirent *thread;
    while (threads != NULL && (thread = readdir(threads)) != NULL) {
        char name[64], stat[1024];
        unsigned long user, system;
        if (!read_line(thread->d_name, "comm", name, sizeof name) || strncmp(name, "rdk:mock", 8) != 0
            || !read_line(thread->d_name, "stat", stat, sizeof stat))
            continue;
        const char *fields = strrchr(stat, ')');
        if (fields != NULL
            && sscanf(fields + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2)
            seconds += (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    }
    if (threads != NULL)
        closedir(threads);
    return seconds;
}

static void reported(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    (void)producer;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        ++*(long *)opaque;
}

static rd_kafka_t *new_producer(long *written)
{
    static const char *const settings[][2] = {
        {"test.mock.num.brokers", "1"},
        {"acks", "1"},
        {"max.in.flight.requests.per.connection", "1"},
        {"message.max.bytes", "2000000"},
        {"batch.size", "1044480"},
        {"batch.num.messages", "1000000"},
        {"queue.buffering.max.messages", "1000000"},
        {"queue.buffering.max.kbytes", "65536"},
        {"linger.ms", "5"},
        {"log_level", "3"},
    };
    char error[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], error, sizeof error) != RD_KAFKA_CONF_OK) {
            fprintf(stderr, "produce: %s\n", error);
            return NULL;
        }
    rd_kafka_conf_set_opaque(conf, written);
    rd_kafka_conf_set_dr_msg_cb(conf, reported);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    if (producer == NULL)
        fprintf(stderr, "produce: %s\n", error);
    return producer;
}

/* Waits for room by serving reports, which is what makes room. */
static int produce(rd_kafka_t *producer, rd_kafka_topic_t *topic, char *payload, size_t size, long count)
{
    for (long i = 0; i < count; i++) {
        while (rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, payload, size, NULL, 0, NULL) != 0) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                return 0;
            rd_kafka_poll(producer, 10);
        }
        if (i % 1024 == 0)
            rd_kafka_poll(producer, 0);
    }
    return rd_kafka_flush(producer, 60000) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: produce SIZE COUNT\n");
        return 2;
    }
    size_t size = strtoul(argv[1], NULL, 10);
    long count = strtol(argv[2], NULL, 10), written = 0;
    char *payload = malloc(size + 1);
    rd_kafka_t *producer = new_producer(&written);
    if (payload == NULL || producer == NULL)
        return 1;
    memset(payload, 'x', size);
    rd_kafka_mock_topic_create(rd_kafka_handle_mock_cluster(producer), TOPIC, 1, 1);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, TOPIC, NULL);

    /* Connections and look-ups are not counted. */
    int done = produce(producer, topic, payload, size, 1);
    written = 0;
    double started = now(), all = cpu(), broker = broker_cpu();
    done = done && produce(producer, topic, payload, size, count);
    double seconds = now() - started;
    all = cpu() - all;
    broker = broker_cpu() - broker;
    if (done)
        printf("%ld %f %f %f\n", written, seconds, all - broker, broker);
    else
        fprintf(stderr, "produce: %s\n", rd_kafka_err2str(rd_kafka_last_error()));

    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    free(payload);
    return done ? 0 : 1;
}
