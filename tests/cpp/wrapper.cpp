/* What hstreamdb.hpp promises, against a server in this process. Ends with 1 at the first rule that does not hold. */

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

#if __cplusplus >= 202002L
#include <ranges>
#endif

#include "hstreamdb.hpp"

#if __cplusplus >= 202002L
static_assert(std::ranges::input_range<hstreamdb::batch> && std::ranges::input_range<hstreamdb::streams>);
static_assert(std::ranges::input_range<hstreamdb::deliveries>);
#endif

namespace hs = hstreamdb;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

hs::error made_elsewhere(); // in other_unit.cpp

#define CHECK(rule)                                                                                                    \
    do {                                                                                                               \
        if (!(rule)) {                                                                                                 \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #rule);                                            \
            std::exit(1);                                                                                              \
        }                                                                                                              \
    } while (0)

/// The code that a call throws; HSTREAM_OK if it throws nothing.
template <class F> hstream_code_t thrown(F call)
{
    try {
        call();
        return HSTREAM_OK;
    } catch (const hs::error &error) {
        CHECK(error.what()[0] != 0);
        return error.code();
    }
}

/// A server with a stream and a subscription `events`.
struct setting {
    hs::dev_server server{1};
    hs::client client = hs::client::connect(server.url());

    explicit setting(std::uint32_t shards = 1)
    {
        client.create_stream("events", hs::stream_options().shard_count(shards));
        client.create_subscription("events", "events", hs::subscription_options().start_earliest());
    }
    void fill(int count)
    {
        std::vector<hs::record> records;
        for (int i = 0; i < count; i++)
            records.push_back(hs::record::raw(std::to_string(i), "key"));
        CHECK(client.append("events", records).size() == static_cast<std::size_t>(count));
    }
};

static void errors_say_what_failed()
{
    std::optional<hs::error> kept;
    {
        setting here;
        try {
            here.client.get_stream("nothing");
        } catch (const std::runtime_error &error) {
            kept = dynamic_cast<const hs::error &>(error);
        }
    }
    CHECK(kept && kept->code() == HSTREAM_ERR_STREAM_NOT_FOUND);
    CHECK(kept->kind() == HSTREAM_CATEGORY_NOT_FOUND && !kept->is_retryable() && !kept->is_ambiguous());
    CHECK(kept->server_code() == HSTREAM_ERR_STREAM_NOT_FOUND && kept->grpc_status() == 5);
    CHECK(kept->server_name() == "StreamNotFound" && kept->attempts() >= 1 && !kept->address().empty());
    CHECK(kept->error_code().category() == hs::category());
    CHECK(kept->error_code().message() == hstream_code_description(kept->code()));
    const hs::error timeout(HSTREAM_ERR_TIMEOUT, static_cast<hstream_error_t *>(nullptr));
    CHECK(timeout.error_code() == std::errc::timed_out && !timeout.server_code() && timeout.server_name().empty());
    CHECK(made_elsewhere().error_code().category() == hs::category());
}

static void names_with_a_nul_are_refused()
{
    CHECK(thrown([] { hs::client::connect("hstream://127.0.0.1\0.example"sv); }) == HSTREAM_ERR_INVALID_ARGUMENT);
    CHECK(thrown([] { hs::client::connect("ftp://host"); }) == HSTREAM_ERR_INVALID_ARGUMENT);
    CHECK(thrown([] { hs::client_options().set("no.such.key", "1"); }) == HSTREAM_ERR_UNKNOWN_OPTION);
}

static void moved_handles_are_as_null()
{
    setting here;
    hs::client moved = std::move(here.client);
    CHECK(moved && !here.client && here.client.c_ptr() == nullptr);
    CHECK(thrown([&] { here.client.refresh(); }) == HSTREAM_ERR_NULL_ARGUMENT);
    CHECK(moved.echo("hello") == "hello");
    hstream_client_t *mine = moved.release();
    CHECK(!moved && mine != nullptr);
    hstream_client_free(mine);
    static_assert(!std::is_copy_constructible_v<hs::client> && std::is_nothrow_move_constructible_v<hs::client>);
    static_assert(!std::is_copy_constructible_v<hs::producer> && std::is_copy_constructible_v<hs::batch>);
}

static void lists_are_ranges()
{
    setting here(3);
    here.client.create_stream("other");
    std::string names;
    for (const auto &stream : here.client.list_streams())
        names.append(stream.name()).append(" ");
    CHECK(names == "events other ");
    CHECK(here.client.list_streams("ot").size() == 1 && here.client.list_streams("none").empty());

    hs::stream kept = [&] { return hs::stream(here.client.list_streams()[0]); }();
    hs::stream copy = kept;
    CHECK(copy.name() == "events" && copy.shard_count() == 3 && copy.replication_factor() == 1 && copy.backlog() == 0s);
    CHECK(here.client.stream_exists("other"));
    here.client.delete_stream("other");
    CHECK(!here.client.stream_exists("other"));

    const hs::shards shards = here.client.list_shards("events");
    CHECK(shards.size() == 3 && shards[0].start_key() == "0" && shards[2].stream_name() == "events");
    CHECK(shards.find_key("k").id() == here.client.shard_for_key("events", "k") && shards[0].is_active());
    CHECK(here.client.get_subscription("events").stream_name() == "events");
    CHECK(here.client.list_subscriptions().size() == 1 && here.client.list_subscriptions()[0].ack_timeout() == 600s);
    const hs::cluster cluster = here.client.describe_cluster();
    CHECK(cluster.size() == 1 && cluster[0].state() == HSTREAM_NODE_RUNNING && !cluster.protocol_version().empty());
    CHECK(here.client.lookup_shard(shards[0].id()).port() == cluster[0].port());
}

static void records_have_keys_attributes_and_fields()
{
    hs::hrecord fields;
    fields.set_string("name", "Sangiang");
    fields.set_number("mag", 5.3);
    fields.set_bool("felt", true);
    fields.set_null("tsunami");
    fields.set_json("list", "[1,2]");
    CHECK(fields.get_number("mag") == 5.3 && fields.get_bool("felt") == true && !fields.get_bool("mag"));
    CHECK(fields.get_string("name") == "Sangiang" && !fields.get_string("felt") && fields.size() == 5);
    CHECK(fields.get_json("list") == "[1,2]" && fields.type("tsunami") == HSTREAM_TYPE_NULL);
    CHECK(fields.remove("list") && !fields.remove("list"));

    hs::record record = hs::record::of(fields, "us");
    record.set_attribute("origin", "test");
    hs::record copy = record;
    CHECK(record.remove_attribute("origin") && !record.attribute("origin"));
    CHECK(copy.attribute("origin") == "test" && copy.attribute_at(0).first == "origin" && copy.key() == "us");
    CHECK(copy.kind() == HSTREAM_RECORD_JSON && copy.to_hrecord().get_number("mag") == 5.3);
    CHECK(hs::hrecord::from_json(copy.to_json()).get_string("name") == "Sangiang");
    CHECK(thrown([&] { copy.id(); }) == HSTREAM_ERR_INVALID_STATE);

    const std::vector<unsigned char> data{0, 1, 255};
    CHECK(hs::record::raw(data).payload() == "\0\1\xff"sv && hs::record::raw("text").payload() == "text");
    CHECK(hs::record::raw(hs::bytes()).payload().empty());
    CHECK(thrown([] { hs::record::json("[1]"); }) == HSTREAM_ERR_JSON);
}

static void appends_return_ids_that_can_be_read_from()
{
    setting here;
    const hs::record_id first = here.client.append("events", hs::record::raw("0", "key"));
    here.fill(5);
    CHECK(hs::record_id::parse(first.to_string()) == first && first < here.client.tail_record_id("events", first.shard_id));
    hs::append_options gzip;
    gzip.compression(HSTREAM_COMPRESSION_GZIP);
    const auto each = here.client.append_each("events", {hs::record::raw("x"), hs::record::raw("y")}, gzip);
    CHECK(each.size() == 2 && each[0].code == HSTREAM_OK && each[1].id.batch_index == 1);
    // A record that is too large is found before any is sent.
    const auto none = here.client.append_each("events", {hs::record::raw("x"), hs::record::raw(std::string(2 << 20, 'x'))});
    CHECK(none[0].code != HSTREAM_OK && none[0].id == hs::record_id() && none[1].code == HSTREAM_ERR_RECORD_TOO_LARGE);

    hs::reader reader = here.client.read_shard(
        "events", first.shard_id, hs::reader_options().from(hs::offset::earliest()).until(hs::offset::at(first)));
    std::size_t count = 0;
    while (!reader.ended())
        if (auto batch = reader.read(100, 10s))
            count += batch->size();
    CHECK(count == 1 && reader.position(first.shard_id) == first);
    hs::reader rest = here.client.read_stream(
        "events", hs::reader_options().position(reader.position_text()).until(hs::offset::latest()));
    CHECK(rest.read(1, 10s)->ids()->batch_id > first.batch_id);
    rest.close(10s);
    CHECK(thrown([&] { rest.read(1, 10s); }) == HSTREAM_ERR_CLOSED);
    hs::reader by_key = here.client.read_key("events", "key");
    for (count = 0; !by_key.ended();)
        if (auto batch = by_key.read(100, 10s))
            count += batch->size();
    CHECK(count == 6);
}

static void each_record_is_reported_once_to_a_callback()
{
    setting here(2);
    std::atomic<std::uint64_t> sum{0}, reports{0};
    const auto counter = std::make_shared<int>(0);
    {
        hs::producer producer = here.client.producer(
            hs::producer_options().set("linger.ms", "5").on_delivery([&, counter](const hs::deliveries &deliveries) {
                for (const auto &delivery : deliveries) {
                    CHECK(!delivery.failure() && delivery.id().shard_id == delivery.shard_id());
                    CHECK(delivery.stream_name() == "events");
                    sum += delivery.tag();
                    reports++;
                }
                throw std::runtime_error("told on stderr, and no more");
            }));
        hs::appender appender = producer.open("events");
        CHECK(appender.stream_name() == "events" && counter.use_count() == 2);
        for (std::uint64_t i = 0; i < 100; i++)
            appender.append_raw(std::to_string(i), "payload", i);
        appender.append_json({}, R"({"a":1})", 100);
        CHECK(appender.append_packed("onetwo", {3, 6}) == 2);
        CHECK(appender.flush(30s).failed == 0 && producer.pending_records() == 0);
        producer.close(30s);
        CHECK(thrown([&] { appender.append(hs::record::raw("late")); }) == HSTREAM_ERR_CLOSED);
    }
    CHECK(reports == 103 && sum == 99 * 100 / 2 + 100 + 1);
    CHECK(counter.use_count() == 1);
}

static void failed_records_are_lent_back_to_a_poll()
{
    setting here;
    hs::producer producer = here.client.producer(hs::producer_options().report_polling());
    hs::appender appender = producer.open("events");
    CHECK(!producer.poll(10, hs::no_wait) && producer.event_fd() >= 0);
    here.server.set("refuse", "Append 3 not this one");
    appender.append_raw("key", "kept", 7);
    const auto deliveries = producer.poll(10, 30s);
    CHECK(deliveries && deliveries->size() == 1);
    const hs::delivery_view report = (*deliveries)[0];
    CHECK(report.tag() == 7 && report.failure()->code() == report.code() && report.lent_record().payload() == "kept");
    CHECK(thrown([&] { report.id(); }) != HSTREAM_OK);
    appender.append(report.lent_record(), 8);
    const auto again = producer.poll(10, 30s);
    CHECK(again && (*again)[0].tag() == 8 && !(*again)[0].failure());
    producer.close(10s);
}

static void an_append_can_wait_for_its_id()
{
    setting here(2);
    hs::producer producer = here.client.producer(hs::producer_options().linger(-1ms));
    hs::appender appender = producer.open("events");
    const auto id = appender.append_wait(hs::record::raw("x", "key"), 30s);
    CHECK(id.shard_id == here.client.shard_for_key("events", "key") && id.batch_id > 0);
    appender.append_raw("key", "y");
    CHECK(producer.pending_records() == 1 && producer.pending_bytes() > 0);
    CHECK(appender.flush_key("key", 30s).written == 1 && appender.flush_shard(id.shard_id, 30s).written == 0);
    CHECK(!producer.stats_json().empty());
    producer.begin_close();
    CHECK(thrown([&] { appender.append_raw({}, "late"); }) == HSTREAM_ERR_CLOSED);
    CHECK(producer.close(30s).failed == 0);
}

static void batches_outlive_their_consumer()
{
    setting here;
    here.fill(10);
    std::optional<hs::batch> kept;
    {
        hs::consumer consumer = here.client.consumer("events", hs::consumer_options().consumer_name("me"));
        CHECK(consumer.consumer_name() == "me");
        const hs::batch batch = consumer.poll(4, 30s).value();
        kept = batch;
        consumer.ack(batch[0]);
        consumer.ack(std::vector<hs::record_id>{batch[1].id()});
        consumer.ack_up_to(batch.ids()[batch.size() - 1]);
        while (consumer.unacked_records() + consumer.pending_acks() > 0)
            consumer.flush_acks(30s);
        consumer.close(30s);
        CHECK(consumer.state() == HSTREAM_STATE_CLOSED && !consumer.last_error());
    }
    std::string payloads;
    for (const auto &record : *kept)
        payloads += record.payload();
    CHECK(payloads == "0123" && kept->codes()[3] == HSTREAM_OK && kept->kinds()[0] == HSTREAM_RECORD_RAW);
    const hs::record record((*kept)[3]);
    kept.reset();
    CHECK(record.payload() == "3" && record.id().batch_index == 3 && record.publish_time().time_since_epoch() > 0ms);
}

static void a_callback_that_throws_leaves_its_batch_unacked()
{
    setting here;
    here.fill(10);
    std::optional<bool> ended_well;
    int calls = 0;
    hs::consumer consumer = here.client.consumer(
        "events", hs::consumer_options().auto_ack().callback_records(2).on_batch(
                      [&](const hs::batch &) -> hs::next {
                          if (++calls == 1)
                              throw std::runtime_error("this batch is not acked");
                          return calls == 5 ? hs::next::stop : hs::next::processed;
                      },
                      [&](const std::optional<hs::error> &why) { ended_well = !why; }));
    consumer.run(30s);
    CHECK(calls == 5 && ended_well == true && consumer.unacked_records() == 2);
    consumer.close(30s);
}

static void a_reader_delivers_to_a_callback()
{
    setting here;
    here.fill(10);
    std::promise<std::size_t> all;
    std::size_t count = 0;
    hs::reader reader = here.client.read_stream("events", hs::reader_options().until(hs::offset::latest()).on_batch(
        [&](const hs::batch &batch) { return count += batch.size(), hs::next::processed; },
        [&](const std::optional<hs::error> &why) { all.set_value(why ? 0 : count); }));
    reader.start();
    CHECK(all.get_future().get() == 10);
    reader.close(30s);
}

static void a_named_reader_is_deleted_whatever_happens()
{
    setting here;
    here.fill(3);
    try {
        const auto shard = here.client.list_shards("events")[0].id();
        auto reader = here.client.named_reader("mine", "events", shard, hs::offset::earliest(), 0);
        CHECK(reader.read(10).size() == 3 && reader.read(10).empty());
        CHECK(thrown([&] { here.client.named_reader("mine", "events", shard, hs::offset::earliest(), 0); }) ==
              HSTREAM_ERR_GRPC_ALREADY_EXISTS);
        throw 1;
    } catch (int) {
    }
    auto again = here.client.named_key_reader("mine", "events", "key", hs::offset::since(hs::time_point(1ms)), 0);
    auto moved = std::move(again);
    CHECK(moved.read(1).size() == 3);
    moved.close();
    CHECK(thrown([&] { moved.read(1); }) != HSTREAM_OK);
}

static void calls_end_when_they_are_cancelled()
{
    setting here;
    hs::cancel cancel;
    hs::consumer consumer = here.client.consumer("events");
    auto waiting = std::async(std::launch::async, [&] {
        return thrown([&] { (void)consumer.poll(1, hs::forever, &cancel); });
    });
    cancel.trigger();
    CHECK(waiting.get() == HSTREAM_ERR_INTERRUPTED && cancel.is_triggered());
    CHECK(thrown([&] { here.client.echo("x", hs::call_options().cancelled_by(cancel)); }) == HSTREAM_ERR_INTERRUPTED);
    int asked = 0;
    hs::call_options call;
    call.timeout(10s).cancelled_by(cancel).interrupt_check([&] { return ++asked, false; }).metadata("who", "me");
    CHECK(here.client.echo("x", call) == "x");
    cancel.reset();
    CHECK(!cancel.is_triggered() && cancel.write_fd() >= 0);
    CHECK(here.client.echo("x", hs::call_options().cancelled_by(cancel)) == "x");
}

static void events_and_log_lines_are_told()
{
    std::atomic<int> lines{0}, events{0};
    hs::set_log(HSTREAM_LOG_TRACE, [&](const hs::log_line &line) {
        CHECK(!line.target.empty() && line.time.time_since_epoch() > 0ms);
        lines++;
    });
    {
        setting here;
        auto client = hs::client::connect(hs::client_options(here.server.url()).on_event([&](hs::event_view event) {
            CHECK(!event.to_json().empty());
            events += event.kind() == HSTREAM_EVENT_CONSUMER_STATE && event.subject() == "events";
        }));
        hs::consumer consumer = client.consumer("events");
        (void)consumer.poll(1, 50ms);
        consumer.close(30s);
        client.close(30s);
        CHECK(client.metric(HSTREAM_METRIC_CALLS) > 0 && !client.metrics_json().empty());
    }
    hs::reset_log();
    CHECK(lines > 0 && events > 0);
}

int main()
{
    for (const auto rule : {
             errors_say_what_failed,
             names_with_a_nul_are_refused,
             moved_handles_are_as_null,
             lists_are_ranges,
             records_have_keys_attributes_and_fields,
             appends_return_ids_that_can_be_read_from,
             each_record_is_reported_once_to_a_callback,
             failed_records_are_lent_back_to_a_poll,
             an_append_can_wait_for_its_id,
             batches_outlive_their_consumer,
             a_callback_that_throws_leaves_its_batch_unacked,
             a_reader_delivers_to_a_callback,
             a_named_reader_is_deleted_whatever_happens,
             calls_end_when_they_are_cancelled,
             events_and_log_lines_are_told,
         }) {
        rule();
        CHECK(hstream_live_handles() == 0);
    }
    return 0;
}
