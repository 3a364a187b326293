/*
 * The whole journey of some events, in C++: from a file of JSON lines through a stream, and back to be counted.
 *
 *     quickstart_cpp [URL [FILE]]
 *
 * Each line of FILE is an event with a network, `properties.net`, which becomes the record's key: so the events of
 * one network keep their order. Without a URL a server is started inside this process, if the library has one.
 */

#include <fstream>
#include <iostream>

#include "hstreamdb.hpp"

using namespace std::chrono_literals;

namespace {

constexpr auto patience = 120s;

/// The key of an event: its network, or nothing.
std::string network_of(const std::string &event)
{
    const auto fields = hstreamdb::hrecord::from_json(event);
    if (fields.type("properties") != HSTREAM_TYPE_OBJECT)
        return "";
    const auto properties = hstreamdb::hrecord::from_json(fields.get_json("properties"));
    return std::string(properties.get_string("net").value_or(""));
}

std::uint64_t write_events(hstreamdb::client &client, const std::string &stream, const std::string &path)
{
    // On the producer's thread; the close below waits for the last call.
    auto producer = client.producer(
        hstreamdb::producer_options().compression(HSTREAM_COMPRESSION_ZSTD).on_delivery([](const auto &deliveries) {
            for (const auto &delivery : deliveries)
                if (const auto failure = delivery.failure())
                    std::cerr << "event " << delivery.tag() << " was not written: " << failure->what() << "\n";
        }));
    auto appender = producer.open(stream);
    std::ifstream file(path);
    if (!file)
        throw std::runtime_error(path + ": can't be opened");
    std::uint64_t number = 0;
    for (std::string line; std::getline(file, line);)
        if (!line.empty())
            appender.append_json(network_of(line), line, number++);
    producer.close(patience);
    return number;
}

std::uint64_t read_events(hstreamdb::client &client, const std::string &subscription, std::uint64_t wanted)
{
    // On the consumer's thread; the run below waits for the last call.
    std::uint64_t read = 0;
    auto consumer = client.consumer(
        subscription, hstreamdb::consumer_options().auto_ack().on_batch([&](const hstreamdb::batch &batch) {
            read += batch.size();
            return read < wanted ? hstreamdb::next::processed : hstreamdb::next::stop;
        }));
    if (wanted > 0)
        consumer.run(patience);
    consumer.close(patience);
    return read;
}

void travel(const std::string &url, const std::string &path)
{
    auto client = hstreamdb::client::connect(url);
    const std::string name = "quickstart-" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
    client.create_stream(name, hstreamdb::stream_options().shard_count(4));
    client.create_subscription(name, name, hstreamdb::subscription_options().start_earliest());
    const auto written = write_events(client, name, path);
    const auto read = read_events(client, name, written);
    client.delete_subscription(name, HSTREAM_DELETE_FORCE);
    client.delete_stream(name, HSTREAM_DELETE_FORCE);
    std::cout << written << " events written, " << read << " read, " << read << " acked\n";
}

} // namespace

int main(int argc, char **argv)
try {
    const std::string path = argc > 2 ? argv[2] : "examples/data/earthquakes.ndjson";
    if (argc > 1) {
        travel(argv[1], path);
        return 0;
    }
#ifdef HSTREAM_HAS_DEV_SERVER
    const hstreamdb::dev_server server;
    travel(std::string(server.url()), path);
#else
    travel("hstream://127.0.0.1", path);
#endif
    return 0;
} catch (const std::exception &error) {
    std::cerr << "quickstart: " << error.what() << "\n";
    return 1;
}
