/* What calls over the ABI cost, for a comparison with the same in Rust (examples/instructions.rs), by callgrind:
 * instructions URL STREAM record|raw|packed|columns COUNT. All that counts is done by measured_calls. */

#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { SIZE = 100, PACKED = 64, POLLED = 1000 };

struct task {
    const char *how;
    size_t count;
    char payloads[PACKED * SIZE];
    hstream_appender_t *appender;
    hstream_record_t *record;
    hstream_consumer_t *consumer;
    size_t sum;
};

static int append_records(struct task *task)
{
    hstream_code_t code = HSTREAM_OK;
    for (size_t i = 0; i < task->count && code == HSTREAM_OK; i++)
        code = hstream_appender_append(task->appender, task->record, i, -1, NULL, NULL);
    return code;
}

static int append_raw(struct task *task)
{
    hstream_code_t code = HSTREAM_OK;
    for (size_t i = 0; i < task->count && code == HSTREAM_OK; i++)
        code = hstream_appender_append_raw(task->appender, NULL, 0, task->payloads, SIZE, i, -1, NULL, NULL);
    return code;
}

static int append_packed(struct task *task)
{
    size_t ends[PACKED];
    hstream_code_t code = HSTREAM_OK;
    for (size_t i = 0; i < PACKED; i++)
        ends[i] = (i + 1) * SIZE;
    for (size_t i = 0; i < task->count && code == HSTREAM_OK; i += PACKED)
        code = hstream_appender_append_packed(task->appender, task->payloads, ends, NULL, NULL, NULL, PACKED, -1, NULL,
                                              NULL, NULL);
    return code;
}

static int poll_columns(struct task *task)
{
    hstream_code_t code = HSTREAM_OK;
    for (size_t polled = 0; polled < task->count && code == HSTREAM_OK;) {
        hstream_batch_t *batch = NULL;
        const void *const *payloads, *const *keys;
        const size_t *payload_lengths, *key_lengths;
        code = hstream_consumer_poll(task->consumer, POLLED, -1, NULL, &batch, NULL);
        if (code != HSTREAM_OK || batch == NULL)
            continue;
        size_t count = hstream_batch_count(batch);
        const hstream_record_id_t *ids = hstream_batch_ids(batch);
        OK(hstream_batch_payloads(batch, &payloads, &payload_lengths));
        OK(hstream_batch_keys(batch, &keys, &key_lengths));
        for (size_t i = 0; i < count; i++)
            task->sum += ids[i].batch_index + payload_lengths[i] + key_lengths[i] + ((const uint8_t *)payloads[i])[0];
        polled += count;
        hstream_batch_free(batch);
    }
    return code;
}

__attribute__((noinline)) static int measured_calls(struct task *task)
{
    if (strcmp(task->how, "record") == 0)
        return append_records(task);
    if (strcmp(task->how, "raw") == 0)
        return append_raw(task);
    return strcmp(task->how, "packed") == 0 ? append_packed(task) : poll_columns(task);
}

int main(int argc, char **argv)
{
    static struct task task;
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_producer_options_t *producing = hstream_producer_options_new();
    hstream_client_t *client = NULL;
    hstream_producer_t *producer = NULL;

    if (argc != 5)
        return 2;
    task.how = argv[3];
    task.count = strtoull(argv[4], NULL, 10);
    memset(task.payloads, 'x', sizeof task.payloads);
    OK(hstream_client_options_set_url(options, argv[1], NULL));
    OK(hstream_client_connect(options, NULL, &client, NULL));
    if (strcmp(task.how, "columns") == 0) {
        OK(hstream_consumer_new(client, argv[2], NULL, NULL, &task.consumer, NULL));
    } else {
        OK(hstream_producer_options_set_linger_ms(producing, -1));
        OK(hstream_producer_options_set_batch_records(producing, POLLED));
        OK(hstream_producer_options_set_buffer_bytes(producing, 1 << 30));
        OK(hstream_producer_options_set_buffer_records(producing, 10000000));
        OK(hstream_producer_new(client, producing, &producer, NULL));
        OK(hstream_producer_open(producer, argv[2], NULL, &task.appender, NULL));
        OK(hstream_record_new_raw(task.payloads, SIZE, NULL, 0, &task.record, NULL));
    }
    if (failures == 0)
        OK(measured_calls(&task));
    if (producer)
        OK(hstream_producer_close(producer, -1, NULL, NULL, NULL, NULL, NULL));
    printf("%zu\n", task.sum);
    hstream_record_free(task.record);
    hstream_appender_free(task.appender);
    hstream_producer_free(producer);
    hstream_consumer_free(task.consumer);
    hstream_client_free(client);
    hstream_producer_options_free(producing);
    hstream_client_options_free(options);
    return failures != 0;
}
