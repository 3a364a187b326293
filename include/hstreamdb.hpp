/*
 * hstreamdb.hpp: the C++17 interface of libhstreamdb, over hstreamdb.h. Nothing to be compiled or linked but the
 * C library.
 *
 * Handles. One class for each of C's. It owns the handle and frees it; `c_ptr()` lends it to C functions that have
 * no match here, `release()` gives it away. Long-lived ones (client, producer, appender, consumer, reader, cancel)
 * can be moved, and used by any thread, any number at once; a moved-from or released one is as NULL in C. Results
 * (stream, batch, deliveries, ...) never change, can be read by any thread, and are copied by a counted reference
 * or a clone. Names that end in `_view` are borrowed, and live as long as what they came from.
 *
 * Texts. A std::string_view that is returned lives as long as the object that returned it. Names are given as any
 * kind of string; data as `bytes`, which any kind of string and any container of bytes converts to.
 *
 * Errors. What fails throws hstreamdb::error. Destructors close with no time to wait, and throw nothing: call
 * `close` first, to wait and to know.
 *
 * Callbacks. They are copied into a std::function, which lives until nothing calls it any more. They run on a thread
 * of their handle; what they throw is written to stderr, and a batch that was being delivered is left unacked.
 * `close` must not be called in a handle's own callback, nor with a lock held that the callback takes.
 */

#ifndef HSTREAMDB_HPP
#define HSTREAMDB_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "hstreamdb.h"

namespace hstreamdb {

using std::chrono::milliseconds;

/// "Without limit", as a time-out.
inline constexpr milliseconds forever{HSTREAM_FOREVER};
/// "Don't wait", as a time-out.
inline constexpr milliseconds no_wait{HSTREAM_NO_WAIT};

// ---- Errors ---------------------------------------------------------------------------------------------------

namespace detail {

class error_category final : public std::error_category {
public:
    const char *name() const noexcept override { return "hstreamdb"; }
    std::string message(int code) const override { return hstream_code_description(code); }
    std::error_condition default_error_condition(int code) const noexcept override
    {
        switch (code) {
        case HSTREAM_ERR_INVALID_ARGUMENT:
        case HSTREAM_ERR_NULL_ARGUMENT: return std::errc::invalid_argument;
        case HSTREAM_ERR_TIMEOUT: return std::errc::timed_out;
        case HSTREAM_ERR_INTERRUPTED: return std::errc::operation_canceled;
        case HSTREAM_ERR_WOULD_DEADLOCK: return std::errc::resource_deadlock_would_occur;
        case HSTREAM_ERR_UNSUPPORTED: return std::errc::not_supported;
        default: return {code, *this};
        }
    }
};

} // namespace detail

/// The codes of the library as those of the standard library.
inline const std::error_category &category() noexcept
{
    static const detail::error_category category;
    return category;
}

namespace detail {

using shared_error = std::shared_ptr<const hstream_error_t>;

inline shared_error share(hstream_error_t *error) { return {error, [](hstream_error_t *e) { hstream_error_free(e); }}; }

/// Texts of C objects: the function, and the object with what else it takes.
template <class F, class... A> std::string_view text_of(F function, A... arguments) noexcept
{
    std::size_t len = 0;
    const char *text = function(arguments..., &len);
    return {text, len};
}

} // namespace detail

/// What a call throws. It can be copied and kept; any thread may read it.
class error : public std::runtime_error {
public:
    /// Takes the error object over, which may be NULL.
    error(hstream_code_t code, hstream_error_t *owned) : error(code, detail::share(owned)) {}
    error(hstream_code_t code, const char *message) : std::runtime_error(message), code_(code) {}

    /// One of HSTREAM_ERR_*; the set is open.
    hstream_code_t code() const noexcept { return code_; }
    std::error_code error_code() const noexcept { return {code_, category()}; }
    /// One of HSTREAM_CATEGORY_*.
    std::int32_t kind() const noexcept { return hstream_code_category(code_); }
    bool is_retryable() const noexcept
    {
        return (error_ ? hstream_error_is_retryable(c_ptr()) : hstream_code_is_retryable(code_)) != 0;
    }
    /// Whether what was to be written may have been written all the same.
    bool is_ambiguous() const noexcept { return error_ && hstream_error_is_ambiguous(c_ptr()); }
    /// The server's own code, if it sent one.
    std::optional<std::int32_t> server_code() const noexcept { return known(hstream_error_server_code); }
    std::optional<std::int32_t> grpc_status() const noexcept { return known(hstream_error_grpc_status); }
    /// These are "" where there is nothing to say.
    std::string_view server_name() const noexcept { return text(hstream_error_server_name); }
    std::string_view extra_json() const noexcept { return text(hstream_error_extra_json); }
    std::string_view operation() const noexcept { return text(hstream_error_operation); }
    std::string_view address() const noexcept { return text(hstream_error_address); }
    std::uint32_t attempts() const noexcept { return error_ ? hstream_error_attempts(c_ptr()) : 0; }
    /// NULL if there is no more than the code.
    const hstream_error_t *c_ptr() const noexcept { return error_.get(); }

private:
    error(hstream_code_t code, detail::shared_error shared)
        : std::runtime_error(shared ? hstream_error_message(shared.get(), nullptr) : hstream_code_description(code)),
          code_(code), error_(std::move(shared))
    {
    }
    template <class F> std::optional<std::int32_t> known(F function) const noexcept
    {
        const std::int32_t number = error_ ? function(c_ptr()) : -1;
        return number < 0 ? std::nullopt : std::optional(number);
    }
    template <class F> std::string_view text(F function) const noexcept
    {
        return error_ ? detail::text_of(function, c_ptr()) : std::string_view();
    }

    hstream_code_t code_;
    detail::shared_error error_;
};

// ---- What all of it stands on -----------------------------------------------------------------------------------

namespace detail {

inline void check_code(hstream_code_t code)
{
    if (code != HSTREAM_OK)
        throw error(code, static_cast<hstream_error_t *>(nullptr));
}

/// Calls a function whose last parameter is `err`.
template <class F, class... A> void check(F function, A... arguments)
{
    hstream_error_t *err = nullptr;
    const hstream_code_t code = function(arguments..., &err);
    if (code != HSTREAM_OK)
        throw error(code, err);
}

/// Calls a function whose last parameters are `out` and `err`.
template <class T, class F, class... A> T *made(F function, A... arguments)
{
    T *out = nullptr;
    check(function, arguments..., &out);
    return out;
}

/// Takes a text that is ours over.
inline std::string taken(char *text, std::size_t len)
{
    const std::unique_ptr<char, void (*)(char *)> owned(text, [](char *t) { hstream_string_free(t); });
    return std::string(text, len);
}

/// Calls a function whose last parameters are `text`, `text_len` and `err`.
template <class F, class... A> std::string text_made(F function, A... arguments)
{
    char *text = nullptr;
    std::size_t len = 0;
    check(function, arguments..., &text, &len);
    return taken(text, len);
}

/// The same without `err`.
template <class F, class... A> std::string json_of(F function, A... arguments)
{
    char *text = nullptr;
    std::size_t len = 0;
    check_code(function(arguments..., &text, &len));
    return taken(text, len);
}

/// The only owner of a handle.
template <class T, void (*Free)(T *)> class owner {
public:
    explicit owner(T *owned = nullptr) noexcept : ptr_(owned) {}
    T *c_ptr() const noexcept { return ptr_.get(); }
    T *release() noexcept { return ptr_.release(); }
    explicit operator bool() const noexcept { return ptr_ != nullptr; }

private:
    struct freed {
        void operator()(T *ptr) const noexcept { Free(ptr); }
    };
    std::unique_ptr<T, freed> ptr_;
};

/// Something that C lends.
template <class T> class borrowed {
public:
    explicit borrowed(const T *ptr) noexcept : ptr_(ptr) {}
    const T *c_ptr() const noexcept { return ptr_; }
    explicit operator bool() const noexcept { return ptr_ != nullptr; }

private:
    const T *ptr_;
};

/// An owner that can be copied, by C's `_ref` or `_clone`.
template <class T, void (*Free)(T *), T *(*Again)(const T *)> class counted : public owner<T, Free> {
public:
    using owner<T, Free>::owner;
    explicit counted(borrowed<T> lent) : owner<T, Free>(lent ? Again(lent.c_ptr()) : nullptr) {}
    counted(const counted &other) : counted(borrowed<T>(other.c_ptr())) {}
    counted(counted &&) noexcept = default;
    counted &operator=(const counted &other) { return *this = counted(other); }
    counted &operator=(counted &&) noexcept = default;
    ~counted() = default;
};

/// Walks over what has an operator[].
template <class Range> class iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::decay_t<decltype(std::declval<const Range &>()[0])>;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = value_type;

    iterator() noexcept = default;
    iterator(const Range *range, std::size_t index) noexcept : range_(range), index_(index) {}
    value_type operator*() const { return (*range_)[index_]; }
    iterator &operator++() noexcept { return ++index_, *this; }
    iterator operator++(int) noexcept { return {range_, index_++}; }
    friend bool operator==(iterator a, iterator b) noexcept { return a.index_ == b.index_; }
    friend bool operator!=(iterator a, iterator b) noexcept { return a.index_ != b.index_; }

private:
    const Range *range_ = nullptr;
    std::size_t index_ = 0;
};

/// The elements of a list, lent by it.
template <class Owner, class Element, auto Count, auto At> class list : public Owner {
public:
    using Owner::Owner;
    std::size_t size() const noexcept { return Count(this->c_ptr()); }
    bool empty() const noexcept { return size() == 0; }
    Element operator[](std::size_t index) const noexcept { return Element(At(this->c_ptr(), index)); }
    iterator<list> begin() const noexcept { return {this, 0}; }
    iterator<list> end() const noexcept { return {this, size()}; }
};

template <class F> void complain(const char *who, F &&callback) noexcept
{
    try {
        callback();
    } catch (const std::exception &thrown) {
        std::fprintf(stderr, "hstreamdb: the %s callback threw: %s\n", who, thrown.what());
    } catch (...) {
        std::fprintf(stderr, "hstreamdb: the %s callback threw\n", who);
    }
}

template <class F> void deleted(void *user_data) noexcept { delete static_cast<F *>(user_data); }

/// Hands a function over to C: `set` takes `user_data` and `release`.
template <class F, class S> void handed_over(F function, S set)
{
    auto owned = std::make_unique<F>(std::move(function));
    set(owned.get(), &deleted<F>);
    owned.release();
}

} // namespace detail

/// A name, id, URL or key of an option, from any kind of string.
class name {
public:
    template <class T, class = std::enable_if_t<std::is_convertible_v<const T &, std::string_view>>>
    name(const T &text) : text_(static_cast<std::string_view>(text))
    {
        if (text_.find('\0') != std::string::npos)
            throw error(HSTREAM_ERR_INVALID_ARGUMENT, "a name with a NUL in it");
    }
    const char *c_str() const noexcept { return text_.c_str(); }

private:
    std::string text_;
};

/// Data that a call takes: any kind of string, any container of bytes next to each other, pointer and length.
class bytes {
public:
    bytes() noexcept = default;
    bytes(const void *data, std::size_t size) noexcept : data_(data), size_(size) {}
    bytes(const char *text) noexcept : bytes(std::string_view(text)) {}
    template <class C, std::size_t Size = sizeof(*std::data(std::declval<const C &>())),
              class = std::enable_if_t<Size == 1 && !std::is_array_v<C>>>
    bytes(const C &container) noexcept : data_(std::data(container)), size_(std::size(container))
    {
    }
    const void *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

private:
    const void *data_ = nullptr;
    std::size_t size_ = 0;
};

/// Ends calls from elsewhere. Any thread may trigger it, and signal handlers may.
class cancel : public detail::owner<hstream_cancel_t, hstream_cancel_free> {
public:
    cancel() : owner(detail::made<hstream_cancel_t>(hstream_cancel_new)) {}
    void trigger() const noexcept { hstream_cancel_trigger(c_ptr()); }
    bool is_triggered() const noexcept { return hstream_cancel_is_triggered(c_ptr()) != 0; }
    /// Makes it ready again.
    void reset() const noexcept { hstream_cancel_reset(c_ptr()); }
    /// A descriptor that triggers when it is written to; -1 where there is none.
    int write_fd() const noexcept { return hstream_cancel_write_fd(c_ptr()); }
};

namespace detail {
inline hstream_cancel_t *c_ptr(const cancel *cancel) noexcept { return cancel ? cancel->c_ptr() : nullptr; }
} // namespace detail

/// Settings of single calls; an empty one stands for the client's defaults.
class call_options : public detail::owner<hstream_call_t, hstream_call_free> {
public:
    /// For the whole call, retries included.
    call_options &timeout(milliseconds timeout) { return set(hstream_call_set_timeout_ms, timeout.count()); }
    call_options &cancelled_by(const cancel &cancel) { return set(hstream_call_set_cancel, cancel.c_ptr()); }
    /// Asked on the waiting thread when the cancel object is triggered: whether the call is to end. It must not throw,
    /// and lives as long as this object, which must outlive its calls.
    call_options &interrupt_check(std::function<bool()> check)
    {
        check_ = std::make_unique<std::function<bool()>>(std::move(check));
        return set(hstream_call_set_interrupt_check, &asked, check_.get());
    }
    call_options &metadata(const name &key, bytes value)
    {
        detail::check(hstream_call_add_metadata, ready(), key.c_str(), value.data(), value.size());
        return *this;
    }
    /// Asks this node, `host:port`, and no other.
    call_options &node(const name &address)
    {
        detail::check(hstream_call_set_node, ready(), address.c_str());
        return *this;
    }

private:
    static std::int32_t asked(void *check) noexcept { return (*static_cast<std::function<bool()> *>(check))(); }
    hstream_call_t *ready()
    {
        if (!*this)
            static_cast<owner &>(*this) = owner(hstream_call_new());
        return c_ptr();
    }
    template <class F, class... A> call_options &set(F function, A... arguments)
    {
        detail::check_code(function(ready(), arguments...));
        return *this;
    }

    std::unique_ptr<std::function<bool()>> check_;
};

// ---- Record ids and offsets -------------------------------------------------------------------------------------

/// Where a record is: shard, batch, place in the batch.
struct record_id : hstream_record_id_t {
    record_id(hstream_record_id_t id = {}) noexcept : hstream_record_id_t(id) {}
    static record_id parse(std::string_view text)
    {
        hstream_record_id_t id{};
        detail::check(hstream_record_id_parse, text.data(), text.size(), &id);
        return id;
    }
    std::string to_string() const
    {
        char text[HSTREAM_RECORD_ID_TEXT_SIZE];
        detail::check_code(hstream_record_id_format(this, text, sizeof text, nullptr));
        return text;
    }
    friend bool operator==(const record_id &a, const record_id &b) noexcept { return compare(a, b) == 0; }
    friend bool operator!=(const record_id &a, const record_id &b) noexcept { return compare(a, b) != 0; }
    /// By shard, batch, place; across shards it says nothing of time.
    friend bool operator<(const record_id &a, const record_id &b) noexcept { return compare(a, b) < 0; }

private:
    static std::int32_t compare(const record_id &a, const record_id &b) noexcept
    {
        return hstream_record_id_compare(&a, &b);
    }
};
static_assert(sizeof(record_id) == sizeof(hstream_record_id_t), "arrays of one are arrays of the other");

using time_point = std::chrono::time_point<std::chrono::system_clock, milliseconds>;

/// A place in a stream or shard.
struct offset : hstream_offset_t {
    static offset earliest() noexcept { return with(hstream_offset_earliest); }
    static offset latest() noexcept { return with(hstream_offset_latest); }
    /// With this very record.
    static offset at(const record_id &id) noexcept
    {
        offset made{};
        hstream_offset_at_record(&id, &made);
        return made;
    }
    /// With the first record published then or later, `flags` as HSTREAM_OFFSET_*.
    static offset since(time_point time, std::uint32_t flags = 0) noexcept
    {
        offset made{};
        hstream_offset_at_time(time.time_since_epoch().count(), flags, &made);
        return made;
    }

private:
    static offset with(void (*function)(hstream_offset_t *)) noexcept
    {
        offset made{};
        function(&made);
        return made;
    }
};

// ---- Records ----------------------------------------------------------------------------------------------------

/// A JSON object, field by field. One thread at a time while it is changed.
class hrecord : public detail::counted<hstream_hrecord_t, hstream_hrecord_free, hstream_hrecord_clone> {
public:
    hrecord() : counted(hstream_hrecord_new()) {}
    explicit hrecord(hstream_hrecord_t *owned) noexcept : counted(owned) {}
    static hrecord from_json(bytes json)
    {
        return hrecord(detail::made<hstream_hrecord_t>(hstream_hrecord_from_json, json.data(), json.size()));
    }
    std::string to_json() const { return detail::text_made(hstream_hrecord_to_json, c_ptr()); }
    std::size_t size() const noexcept { return hstream_hrecord_field_count(c_ptr()); }
    std::string_view field_name(std::size_t index) const noexcept
    {
        return detail::text_of(hstream_hrecord_field_name_at, c_ptr(), index);
    }
    /// One of HSTREAM_TYPE_*.
    std::int32_t type(const name &field) const noexcept { return hstream_hrecord_type(c_ptr(), field.c_str()); }
    void set_null(const name &field) { detail::check(hstream_hrecord_set_null, c_ptr(), field.c_str()); }
    void set_bool(const name &field, bool value) { detail::check(hstream_hrecord_set_bool, c_ptr(), field.c_str(), value); }
    void set_number(const name &field, double value)
    {
        detail::check(hstream_hrecord_set_number, c_ptr(), field.c_str(), value);
    }
    void set_string(const name &field, std::string_view value)
    {
        detail::check(hstream_hrecord_set_string, c_ptr(), field.c_str(), value.data(), value.size());
    }
    void set_json(const name &field, std::string_view json)
    {
        detail::check(hstream_hrecord_set_json, c_ptr(), field.c_str(), json.data(), json.size());
    }
    /// Nothing where the field is missing, or of another type.
    std::optional<bool> get_bool(const name &field) const noexcept
    {
        std::int32_t value = 0;
        const bool there = hstream_hrecord_get_bool(c_ptr(), field.c_str(), &value) == HSTREAM_OK;
        return there ? std::optional(value != 0) : std::nullopt;
    }
    std::optional<double> get_number(const name &field) const noexcept
    {
        double value = 0;
        const bool there = hstream_hrecord_get_number(c_ptr(), field.c_str(), &value) == HSTREAM_OK;
        return there ? std::optional(value) : std::nullopt;
    }
    std::optional<std::string_view> get_string(const name &field) const noexcept
    {
        if (type(field) != HSTREAM_TYPE_STRING)
            return std::nullopt;
        return detail::text_of(hstream_hrecord_get_string, c_ptr(), field.c_str());
    }
    std::string get_json(const name &field) const
    {
        return detail::text_made(hstream_hrecord_get_json, c_ptr(), field.c_str());
    }
    /// Says whether it was there.
    bool remove(const name &field) noexcept { return hstream_hrecord_remove(c_ptr(), field.c_str()) != 0; }
};

namespace detail {

template <class Base> class record_parts : public Base {
public:
    using Base::Base;
    /// HSTREAM_RECORD_RAW or HSTREAM_RECORD_JSON.
    std::int32_t kind() const noexcept { return hstream_record_kind(this->c_ptr()); }
    /// HSTREAM_OK, or HSTREAM_ERR_DECODE for a received one that can't be read.
    hstream_code_t code() const noexcept { return hstream_record_code(this->c_ptr()); }
    /// The bytes of a raw record; of a JSON record its encoded form: see `to_json`.
    std::string_view payload() const noexcept
    {
        std::size_t len = 0;
        const void *data = hstream_record_payload(this->c_ptr(), &len);
        return {static_cast<const char *>(data), data ? len : 0};
    }
    std::string_view key() const noexcept { return text_of(hstream_record_key, this->c_ptr()); }
    std::size_t attribute_count() const noexcept { return hstream_record_attribute_count(this->c_ptr()); }
    /// Name and value; sorted by name.
    std::pair<std::string_view, std::string_view> attribute_at(std::size_t index) const noexcept
    {
        return {text_of(hstream_record_attribute_name_at, this->c_ptr(), index),
                text_of(hstream_record_attribute_value_at, this->c_ptr(), index)};
    }
    std::optional<std::string_view> attribute(const name &attribute) const noexcept
    {
        std::int32_t there = 0;
        const std::string_view value = text_of(hstream_record_attribute, this->c_ptr(), attribute.c_str(), &there);
        return there ? std::optional(value) : std::nullopt;
    }
    /// Of a received one; throws INVALID_STATE for others.
    record_id id() const
    {
        hstream_record_id_t id{};
        check_code(hstream_record_id(this->c_ptr(), &id));
        return id;
    }
    time_point publish_time() const noexcept
    {
        return time_point(milliseconds(hstream_record_publish_time_ms(this->c_ptr())));
    }
    /// Encoded bytes, which is what limits count.
    std::size_t encoded_size() const noexcept { return hstream_record_size(this->c_ptr()); }
    std::string to_json() const { return text_made(hstream_record_to_json, this->c_ptr()); }
    hrecord to_hrecord() const { return hrecord(made<hstream_hrecord_t>(hstream_record_to_hrecord, this->c_ptr())); }
};

} // namespace detail

/// A record of a batch or report.
using record_view = detail::record_parts<detail::borrowed<hstream_record_t>>;

/// A record to be written, or kept. One thread at a time while it is changed.
class record
    : public detail::record_parts<detail::counted<hstream_record_t, hstream_record_free, hstream_record_clone>> {
public:
    explicit record(hstream_record_t *owned) noexcept : record_parts(owned) {}
    explicit record(record_view lent) : record_parts(static_cast<detail::borrowed<hstream_record_t>>(lent)) {}
    static record raw(bytes payload, bytes key = {})
    {
        return made(hstream_record_new_raw, payload.data(), payload.size(), key.data(), key.size());
    }
    /// Of a JSON object as text.
    static record json(bytes json, bytes key = {})
    {
        return made(hstream_record_new_json, json.data(), json.size(), key.data(), key.size());
    }
    static record of(const hrecord &fields, bytes key = {})
    {
        return made(hstream_record_new_hrecord, fields.c_ptr(), key.data(), key.size());
    }
    void set_key(bytes key) { detail::check(hstream_record_set_key, c_ptr(), key.data(), key.size()); }
    void set_attribute(const name &attribute, bytes value)
    {
        const void *data = value.data() ? value.data() : "";
        detail::check(hstream_record_set_attribute, c_ptr(), attribute.c_str(), data, value.size());
    }
    /// Says whether it was there.
    bool remove_attribute(const name &attribute) noexcept
    {
        return hstream_record_remove_attribute(c_ptr(), attribute.c_str()) != 0;
    }

private:
    template <class F, class... A> static record made(F function, A... arguments)
    {
        return record(detail::made<hstream_record_t>(function, arguments...));
    }
};

/// Records that were received: a range of `record_view`. Copies share them.
class batch : public detail::list<detail::counted<hstream_batch_t, hstream_batch_free, hstream_batch_ref>, record_view,
                                  hstream_batch_count, hstream_batch_at> {
public:
    using list::list;
    /// `size()` of them, and so of the columns below.
    const hstream_record_id_t *ids() const noexcept { return hstream_batch_ids(c_ptr()); }
    const std::int32_t *kinds() const noexcept { return hstream_batch_kinds(c_ptr()); }
    const std::int32_t *codes() const noexcept { return hstream_batch_codes(c_ptr()); }
    const std::int64_t *publish_times_ms() const noexcept { return hstream_batch_publish_times_ms(c_ptr()); }
};

// ---- Streams, shards, subscriptions, the cluster ----------------------------------------------------------------

namespace detail {

template <class Base> class stream_parts : public Base {
public:
    using Base::Base;
    std::string_view name() const noexcept { return text_of(hstream_stream_name, this->c_ptr()); }
    std::uint32_t replication_factor() const noexcept { return hstream_stream_replication_factor(this->c_ptr()); }
    std::uint32_t shard_count() const noexcept { return hstream_stream_shard_count(this->c_ptr()); }
    /// 0 = kept for ever.
    std::chrono::seconds backlog() const noexcept
    {
        return std::chrono::seconds(hstream_stream_backlog_seconds(this->c_ptr()));
    }
    time_point creation_time() const noexcept
    {
        return time_point(milliseconds(hstream_stream_creation_time_ms(this->c_ptr())));
    }
    std::string to_json() const { return json_of(hstream_stream_to_json, this->c_ptr()); }
};

template <class Base> class shard_parts : public Base {
public:
    using Base::Base;
    std::uint64_t id() const noexcept { return hstream_shard_id(this->c_ptr()); }
    std::string_view stream_name() const noexcept { return text_of(hstream_shard_stream_name, this->c_ptr()); }
    /// First and last key hash, as decimal numbers of up to 128 bits.
    std::string_view start_key() const noexcept { return text_of(hstream_shard_start_key, this->c_ptr()); }
    std::string_view end_key() const noexcept { return text_of(hstream_shard_end_key, this->c_ptr()); }
    std::uint64_t epoch() const noexcept { return hstream_shard_epoch(this->c_ptr()); }
    bool is_active() const noexcept { return hstream_shard_is_active(this->c_ptr()) != 0; }
};

template <class Base> class subscription_parts : public Base {
public:
    using Base::Base;
    std::string_view id() const noexcept { return text_of(hstream_subscription_id, this->c_ptr()); }
    std::string_view stream_name() const noexcept { return text_of(hstream_subscription_stream_name, this->c_ptr()); }
    std::chrono::seconds ack_timeout() const noexcept
    {
        return std::chrono::seconds(hstream_subscription_ack_timeout_seconds(this->c_ptr()));
    }
    std::int32_t max_unacked_records() const noexcept
    {
        return hstream_subscription_max_unacked_records(this->c_ptr());
    }
    std::string to_json() const { return json_of(hstream_subscription_to_json, this->c_ptr()); }
};

template <class Base> class node_parts : public Base {
public:
    using Base::Base;
    std::uint32_t id() const noexcept { return hstream_node_id(this->c_ptr()); }
    std::string_view host() const noexcept { return text_of(hstream_node_host, this->c_ptr()); }
    std::uint32_t port() const noexcept { return hstream_node_port(this->c_ptr()); }
    /// "" from old servers.
    std::string_view version() const noexcept { return text_of(hstream_node_version, this->c_ptr()); }
    /// One of HSTREAM_NODE_*, -1 when it was only looked up.
    std::int32_t state() const noexcept { return hstream_node_state(this->c_ptr()); }
};

} // namespace detail

using stream = detail::stream_parts<detail::counted<hstream_stream_t, hstream_stream_free, hstream_stream_clone>>;
using stream_view = detail::stream_parts<detail::borrowed<hstream_stream_t>>;
/// Sorted by name.
using streams = detail::list<detail::owner<hstream_streams_t, hstream_streams_free>, stream_view,
                             hstream_streams_count, hstream_streams_at>;

using shard = detail::shard_parts<detail::counted<hstream_shard_t, hstream_shard_free, hstream_shard_clone>>;
using shard_view = detail::shard_parts<detail::borrowed<hstream_shard_t>>;
/// Sorted by key range.
class shards : public detail::list<detail::owner<hstream_shards_t, hstream_shards_free>, shard_view,
                                   hstream_shards_count, hstream_shards_at> {
public:
    using list::list;
    /// The one whose range has the key's hash, if there is one.
    shard_view find_key(bytes key) const noexcept
    {
        return shard_view(hstream_shards_find_key(c_ptr(), key.data(), key.size()));
    }
};

using subscription = detail::subscription_parts<
    detail::counted<hstream_subscription_t, hstream_subscription_free, hstream_subscription_clone>>;
using subscription_view = detail::subscription_parts<detail::borrowed<hstream_subscription_t>>;
/// Sorted by id.
using subscriptions = detail::list<detail::owner<hstream_subscriptions_t, hstream_subscriptions_free>,
                                   subscription_view, hstream_subscriptions_count, hstream_subscriptions_at>;

using node = detail::node_parts<detail::counted<hstream_node_t, hstream_node_free, hstream_node_clone>>;
using node_view = detail::node_parts<detail::borrowed<hstream_node_t>>;
/// A range of nodes, dead ones too.
class cluster : public detail::list<detail::owner<hstream_cluster_t, hstream_cluster_free>, node_view,
                                    hstream_cluster_node_count, hstream_cluster_node_at> {
public:
    using list::list;
    std::string_view protocol_version() const noexcept
    {
        return detail::text_of(hstream_cluster_protocol_version, c_ptr());
    }
    std::chrono::seconds uptime() const noexcept
    {
        return std::chrono::seconds(static_cast<std::int64_t>(hstream_cluster_uptime_seconds(c_ptr())));
    }
    std::string to_json() const { return detail::json_of(hstream_cluster_to_json, c_ptr()); }
};

// ---- Options ----------------------------------------------------------------------------------------------------

namespace detail {

/// Options by text: hstream_options_schema_json() lists the keys.
template <class Self, class T, T *(*New)(), void (*Free)(T *), auto Set> class options : public owner<T, Free> {
public:
    options() : owner<T, Free>(New()) {}
    Self &set(const name &key, const name &value)
    {
        check(Set, this->c_ptr(), key.c_str(), value.c_str());
        return self();
    }

protected:
    Self &self() noexcept { return static_cast<Self &>(*this); }
    /// Setters that return a code alone.
    template <class F, class... A> Self &with(F function, A... arguments)
    {
        check_code(function(this->c_ptr(), arguments...));
        return self();
    }
    template <class F, class... A> Self &with_text(F function, A... arguments)
    {
        check(function, this->c_ptr(), arguments...);
        return self();
    }
};

} // namespace detail

/// What happened to a client or to what was made with it. Lent for the time of the callback.
class event_view : public detail::borrowed<hstream_event_t> {
public:
    using borrowed::borrowed;
    /// One of HSTREAM_EVENT_*.
    std::int32_t kind() const noexcept { return hstream_event_kind(c_ptr()); }
    /// One of HSTREAM_SUBJECT_*.
    std::int32_t subject_kind() const noexcept { return hstream_event_subject_kind(c_ptr()); }
    std::string_view subject() const noexcept { return detail::text_of(hstream_event_subject, c_ptr()); }
    std::string_view address() const noexcept { return detail::text_of(hstream_event_address, c_ptr()); }
    std::string to_json() const { return detail::json_of(hstream_event_to_json, c_ptr()); }
};

/// Options of a client. Copied when used. One thread at a time.
class client_options
    : public detail::options<client_options, hstream_client_options_t, hstream_client_options_new,
                             hstream_client_options_free, hstream_client_options_set> {
public:
    client_options() = default;
    explicit client_options(const name &url) { this->url(url); }
    /// hstream:// or hstreams://, several hosts by comma.
    client_options &url(const name &url) { return with_text(hstream_client_options_set_url, url.c_str()); }
    client_options &tls_ca_file(const name &path) { return with_text(hstream_client_options_set_tls_ca_file, path.c_str()); }
    client_options &tls_ca_pem(bytes pem)
    {
        return with_text(hstream_client_options_set_tls_ca_pem, pem.data(), pem.size());
    }
    client_options &tls_identity_pem(bytes certificate, bytes key)
    {
        return with_text(hstream_client_options_set_tls_identity_pem, certificate.data(), certificate.size(),
                         key.data(), key.size());
    }
    client_options &basic_auth(const name &user, bytes password)
    {
        return with_text(hstream_client_options_set_basic_auth, user.c_str(), password.data(), password.size());
    }
    client_options &auth_token(bytes token)
    {
        return with_text(hstream_client_options_set_auth_token, token.data(), token.size());
    }
    client_options &metadata(const name &key, bytes value)
    {
        return with_text(hstream_client_options_add_metadata, key.c_str(), value.data(), value.size());
    }
    /// `host:port` that the servers name to `host:port` that can be reached.
    client_options &map_address(const name &advertised, const name &reachable)
    {
        return with_text(hstream_client_options_map_address, advertised.c_str(), reachable.c_str());
    }
    client_options &request_timeout(milliseconds timeout)
    {
        return with(hstream_client_options_set_request_timeout_ms, timeout.count());
    }
    /// Ends all calls on the client, and on what is made with it, that have no cancel object themselves.
    client_options &cancelled_by(const cancel &cancel)
    {
        return with(hstream_client_options_set_interrupt, cancel.c_ptr(), nullptr, nullptr);
    }
    client_options &on_event(std::function<void(event_view)> callback)
    {
        detail::handed_over(std::move(callback), [this](void *user_data, hstream_release_fn release) {
            with(hstream_client_options_set_event_callback, &happened, user_data, release);
        });
        return *this;
    }

private:
    static void happened(const hstream_event_t *event, void *callback) noexcept
    {
        detail::complain("event", [&] { (*static_cast<std::function<void(event_view)> *>(callback))(event_view(event)); });
    }
};

/// Options of a new stream.
class stream_options : public detail::owner<hstream_stream_options_t, hstream_stream_options_free> {
public:
    stream_options() : owner(hstream_stream_options_new()) {}
    stream_options &replication_factor(std::uint32_t factor)
    {
        return detail::check_code(hstream_stream_options_set_replication_factor(c_ptr(), factor)), *this;
    }
    stream_options &shard_count(std::uint32_t count)
    {
        return detail::check_code(hstream_stream_options_set_shard_count(c_ptr(), count)), *this;
    }
    /// 0 = kept for ever.
    stream_options &backlog(std::chrono::seconds age)
    {
        if (age.count() < 0 || age.count() > UINT32_MAX)
            throw error(HSTREAM_ERR_INVALID_ARGUMENT, "a backlog is 0 to 4294967295 seconds");
        const auto seconds = static_cast<std::uint32_t>(age.count());
        return detail::check_code(hstream_stream_options_set_backlog_seconds(c_ptr(), seconds)), *this;
    }
};

/// Options of a new subscription.
class subscription_options
    : public detail::options<subscription_options, hstream_subscription_options_t, hstream_subscription_options_new,
                             hstream_subscription_options_free, hstream_subscription_options_set> {
public:
    subscription_options &ack_timeout(std::chrono::seconds timeout)
    {
        return with(hstream_subscription_options_set_ack_timeout_seconds, static_cast<std::int32_t>(timeout.count()));
    }
    subscription_options &max_unacked_records(std::int32_t count)
    {
        return with(hstream_subscription_options_set_max_unacked_records, count);
    }
    /// The default is latest.
    subscription_options &start_earliest()
    {
        return with(hstream_subscription_options_set_start, HSTREAM_OFFSET_EARLIEST);
    }
};

/// Options of an append that waits.
class append_options : public detail::options<append_options, hstream_append_options_t, hstream_append_options_new,
                                              hstream_append_options_free, hstream_append_options_set> {
public:
    /// HSTREAM_COMPRESSION_*.
    append_options &compression(std::int32_t kind, std::int32_t level = HSTREAM_LEVEL_DEFAULT)
    {
        return with(hstream_append_options_set_compression, kind, level);
    }
};

// ---- Producer ---------------------------------------------------------------------------------------------------

/// How records ended that a flush or close waited for.
struct counts {
    std::uint64_t written = 0;
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
};

/// The report of one record. Borrowed from its deliveries.
class delivery_view {
public:
    delivery_view(const hstream_deliveries_t *deliveries, std::size_t index) noexcept
        : deliveries_(deliveries), index_(index)
    {
    }
    std::uint64_t tag() const noexcept { return hstream_deliveries_tag(deliveries_, index_); }
    /// HSTREAM_OK, or why it was not written.
    hstream_code_t code() const noexcept { return hstream_deliveries_code(deliveries_, index_); }
    /// Throws for one that was not written.
    record_id id() const
    {
        hstream_record_id_t id{};
        detail::check_code(hstream_deliveries_record_id(deliveries_, index_, &id));
        return id;
    }
    /// What it failed with, if it did.
    std::optional<error> failure() const
    {
        const hstream_error_t *failed = hstream_deliveries_error(deliveries_, index_);
        return failed ? std::optional(error(code(), hstream_error_clone(failed))) : std::nullopt;
    }
    std::string_view stream_name() const noexcept
    {
        return detail::text_of(hstream_deliveries_stream_name, deliveries_, index_);
    }
    std::uint64_t shard_id() const noexcept { return hstream_deliveries_shard_id(deliveries_, index_); }
    /// What was appended; empty where it is not lent.
    record_view lent_record() const noexcept { return record_view(hstream_deliveries_record(deliveries_, index_)); }

private:
    const hstream_deliveries_t *deliveries_;
    std::size_t index_;
};

/// Reports: a range of `delivery_view`. Copies share them.
class deliveries : public detail::counted<hstream_deliveries_t, hstream_deliveries_free, hstream_deliveries_ref> {
public:
    using counted::counted;
    std::size_t size() const noexcept { return hstream_deliveries_count(c_ptr()); }
    bool empty() const noexcept { return size() == 0; }
    delivery_view operator[](std::size_t index) const noexcept { return {c_ptr(), index}; }
    detail::iterator<deliveries> begin() const noexcept { return {this, 0}; }
    detail::iterator<deliveries> end() const noexcept { return {this, size()}; }
};

/// Options of a producer. Copied when used. One thread at a time.
class producer_options
    : public detail::options<producer_options, hstream_producer_options_t, hstream_producer_options_new,
                             hstream_producer_options_free, hstream_producer_options_set> {
public:
    /// 0 = whenever a shard is idle, -1 ms = by flush alone.
    producer_options &linger(milliseconds age) { return with(hstream_producer_options_set_linger_ms, age.count()); }
    producer_options &batch_records(std::uint32_t count)
    {
        return with(hstream_producer_options_set_batch_records, count);
    }
    producer_options &batch_bytes(std::uint64_t bytes) { return with(hstream_producer_options_set_batch_bytes, bytes); }
    producer_options &buffer_bytes(std::uint64_t bytes) { return with(hstream_producer_options_set_buffer_bytes, bytes); }
    /// HSTREAM_COMPRESSION_*.
    producer_options &compression(std::int32_t kind, std::int32_t level = HSTREAM_LEVEL_DEFAULT)
    {
        return with(hstream_producer_options_set_compression, kind, level);
    }
    producer_options &delivery_timeout(milliseconds timeout)
    {
        return with(hstream_producer_options_set_delivery_timeout_ms, timeout.count());
    }
    /// HSTREAM_FAILURE_*.
    producer_options &failure_policy(std::int32_t policy)
    {
        return with(hstream_producer_options_set_failure_policy, policy);
    }
    /// Reports by `producer::poll`.
    producer_options &report_polling(bool on = true)
    {
        return with(hstream_producer_options_set_report_polling, on ? 1 : 0);
    }
    /// Reports to a function, on a thread of the producer.
    producer_options &on_delivery(std::function<void(const deliveries &)> callback)
    {
        detail::handed_over(std::move(callback), [this](void *user_data, hstream_release_fn release) {
            with(hstream_producer_options_set_delivery_callback, &reported, user_data, release);
        });
        return *this;
    }

private:
    static void reported(const hstream_deliveries_t *lent, void *callback) noexcept
    {
        detail::complain("delivery", [&] {
            const deliveries reports{detail::borrowed<hstream_deliveries_t>(lent)};
            (*static_cast<std::function<void(const deliveries &)> *>(callback))(reports);
        });
    }
};

namespace detail {

/// Calls a function that ends with the wait, the counts and `err`.
template <class F, class... A> counts counted_wait(F function, milliseconds timeout, const cancel *cancel, A... first)
{
    counts ended;
    check(function, first..., timeout.count(), c_ptr(cancel), &ended.written, &ended.failed, &ended.unknown);
    return ended;
}

} // namespace detail

/// One stream of a producer. Any thread; what returns first is written first, in its shard. A record may be written
/// twice if its outcome is not known, but is not lost.
///
/// An append copies, and waits for room only; it throws QUEUE_FULL or TIMEOUT when there is none in time.
class appender : public detail::owner<hstream_appender_t, hstream_appender_free> {
public:
    using owner::owner;
    void append(const record &record, std::uint64_t tag = 0, milliseconds timeout = forever,
                const cancel *cancel = nullptr)
    {
        detail::check(hstream_appender_append, c_ptr(), record.c_ptr(), tag, timeout.count(), detail::c_ptr(cancel));
    }
    /// A record that a report has lent, once more.
    void append(record_view record, std::uint64_t tag = 0, milliseconds timeout = forever,
                const cancel *cancel = nullptr)
    {
        detail::check(hstream_appender_append, c_ptr(), record.c_ptr(), tag, timeout.count(), detail::c_ptr(cancel));
    }
    void append_raw(bytes key, bytes payload, std::uint64_t tag = 0, milliseconds timeout = forever,
                    const cancel *cancel = nullptr)
    {
        detail::check(hstream_appender_append_raw, c_ptr(), key.data(), key.size(), payload.data(), payload.size(),
                      tag, timeout.count(), detail::c_ptr(cancel));
    }
    void append_json(bytes key, bytes json, std::uint64_t tag = 0, milliseconds timeout = forever,
                     const cancel *cancel = nullptr)
    {
        detail::check(hstream_appender_append_json, c_ptr(), key.data(), key.size(), json.data(), json.size(), tag,
                      timeout.count(), detail::c_ptr(cancel));
    }
    void append_to_shard(std::uint64_t shard_id, const record &record, std::uint64_t tag = 0,
                         milliseconds timeout = forever, const cancel *cancel = nullptr)
    {
        detail::check(hstream_appender_append_to_shard, c_ptr(), shard_id, record.c_ptr(), tag, timeout.count(),
                      detail::c_ptr(cancel));
    }
    /// Raw records without keys out of one buffer, each up to its place in `ends`; tags are their indexes. Returns how
    /// many were accepted; throws only if none was.
    std::size_t append_packed(bytes payloads, const std::vector<std::size_t> &ends, milliseconds timeout = forever,
                              const cancel *cancel = nullptr)
    {
        std::vector<std::uint64_t> tags(ends.size());
        for (std::size_t i = 0; i < tags.size(); i++)
            tags[i] = i;
        std::size_t accepted = 0;
        hstream_error_t *err = nullptr;
        const hstream_code_t code = hstream_appender_append_packed(
            c_ptr(), payloads.data() ? payloads.data() : "", ends.data(), nullptr, nullptr, tags.data(), ends.size(),
            timeout.count(), detail::c_ptr(cancel), &accepted, &err);
        const error failed(code, err);
        if (code != HSTREAM_OK && accepted == 0)
            throw failed;
        return accepted;
    }
    /// Through the batch, and waits until it is written.
    record_id append_wait(const record &record, milliseconds timeout, const cancel *cancel = nullptr)
    {
        hstream_record_id_t id{};
        detail::check(hstream_appender_append_wait, c_ptr(), record.c_ptr(), timeout.count(), detail::c_ptr(cancel),
                      &id);
        return id;
    }
    counts flush(milliseconds timeout, const cancel *cancel = nullptr)
    {
        return detail::counted_wait(hstream_appender_flush, timeout, cancel, c_ptr());
    }
    counts flush_shard(std::uint64_t shard_id, milliseconds timeout, const cancel *cancel = nullptr)
    {
        return detail::counted_wait(hstream_appender_flush_shard, timeout, cancel, c_ptr(), shard_id);
    }
    counts flush_key(bytes key, milliseconds timeout, const cancel *cancel = nullptr)
    {
        return detail::counted_wait(hstream_appender_flush_key, timeout, cancel, c_ptr(), key.data(), key.size());
    }
    /// After a stop by failure; 0 = all shards.
    void resume(std::uint64_t shard_id = 0) { detail::check(hstream_appender_resume, c_ptr(), shard_id); }
    std::string_view stream_name() const noexcept { return detail::text_of(hstream_appender_stream_name, c_ptr()); }
};

/// Batches records of any number of streams in the background; each gets one report. Any thread. Destroyed without a
/// `close`, it gives up what is not written.
class producer : public detail::owner<hstream_producer_t, hstream_producer_free> {
public:
    using owner::owner;
    appender open(const name &stream, const call_options &call = {})
    {
        return appender(detail::made<hstream_appender_t>(hstream_producer_open, c_ptr(), stream.c_str(), call.c_ptr()));
    }
    /// Waits until all that was appended before is settled and reported.
    counts flush(milliseconds timeout, const cancel *cancel = nullptr)
    {
        return detail::counted_wait(hstream_producer_flush, timeout, cancel, c_ptr());
    }
    /// Up to so many reports; nothing if none came in time.
    std::optional<deliveries> poll(std::uint32_t max_reports, milliseconds timeout, const cancel *cancel = nullptr)
    {
        auto *got = detail::made<hstream_deliveries_t>(hstream_producer_poll, c_ptr(), max_reports, timeout.count(),
                                                       detail::c_ptr(cancel));
        return got ? std::optional(deliveries(got)) : std::nullopt;
    }
    /// Readable while `poll` has something; -1 where there is none.
    int event_fd() const noexcept { return hstream_producer_event_fd(c_ptr()); }
    std::uint64_t pending_records() const noexcept { return hstream_producer_pending_records(c_ptr()); }
    std::uint64_t pending_bytes() const noexcept { return hstream_producer_pending_bytes(c_ptr()); }
    std::string stats_json() const { return detail::json_of(hstream_producer_stats_json, c_ptr()); }
    /// Accepts no more, and does not wait.
    void begin_close() noexcept { hstream_producer_begin_close(c_ptr()); }
    /// Accepts no more, and waits until all is settled and reported.
    counts close(milliseconds timeout, const cancel *cancel = nullptr)
    {
        return detail::counted_wait(hstream_producer_close, timeout, cancel, c_ptr());
    }
};

// ---- Consumer and readers ---------------------------------------------------------------------------------------

/// What a callback says of its batch.
enum class next : std::int32_t {
    processed = HSTREAM_PROCESSED, ///< With auto-ack, all of it is acked.
    keep = HSTREAM_KEEP,           ///< It stays unacked.
    stop = HSTREAM_STOP,           ///< Processed, and no more.
};

namespace detail {

/// What consumers and readers call: with each batch, and once at the end.
struct batch_callback {
    std::function<next(const batch &)> each;
    std::function<void(const std::optional<error> &)> end;

    static std::int32_t called(const hstream_batch_t *lent, const hstream_error_t *why, void *user_data) noexcept
    {
        auto &self = *static_cast<batch_callback *>(user_data);
        next answer = next::keep;
        complain("batch", [&] {
            if (lent)
                answer = self.each(batch(borrowed<hstream_batch_t>(lent)));
            else if (self.end)
                self.end(why ? std::optional(error(hstream_error_code(why), hstream_error_clone(why))) : std::nullopt);
        });
        return static_cast<std::int32_t>(answer);
    }
};

/// Close with no time, and free: what destructors do.
inline void consumer_ended(hstream_consumer_t *consumer) noexcept
{
    hstream_consumer_close(consumer, HSTREAM_NO_WAIT, nullptr, nullptr);
    hstream_consumer_free(consumer);
}

inline void reader_ended(hstream_reader_t *reader) noexcept
{
    hstream_reader_close(reader, HSTREAM_NO_WAIT, nullptr, nullptr);
    hstream_reader_free(reader);
}

} // namespace detail

/// Options of a consumer. Copied when used. One thread at a time.
class consumer_options
    : public detail::options<consumer_options, hstream_consumer_options_t, hstream_consumer_options_new,
                             hstream_consumer_options_free, hstream_consumer_options_set> {
public:
    /// Unique in the subscription; generated unless given.
    consumer_options &consumer_name(const name &name) { return with_text(hstream_consumer_options_set_name, name.c_str()); }
    /// Acks batches for which the callback returns `next::processed`.
    consumer_options &auto_ack(bool on = true) { return with(hstream_consumer_options_set_auto_ack, on ? 1 : 0); }
    /// `each` is called batch by batch; `end` once at the end, with the error if it failed.
    consumer_options &on_batch(std::function<next(const batch &)> each,
                               std::function<void(const std::optional<error> &)> end = {})
    {
        detail::handed_over(detail::batch_callback{std::move(each), std::move(end)},
                            [this](void *user_data, hstream_release_fn release) {
                                with(hstream_consumer_options_set_callback, &detail::batch_callback::called, user_data,
                                     release);
                            });
        return *this;
    }
    consumer_options &callback_records(std::uint32_t max_records)
    {
        return with(hstream_consumer_options_set_callback_records, max_records);
    }
};

/// Receives the records of a subscription, by polling or by callback. Any thread. Records come at least once: those
/// that are not acked in time come again. Destroyed without a `close`, it may lose acks.
class consumer : public detail::owner<hstream_consumer_t, detail::consumer_ended> {
public:
    using owner::owner;
    void start() { detail::check(hstream_consumer_start, c_ptr()); }
    /// Up to so many records; nothing if none came in time. Throws CLOSED after a close.
    std::optional<batch> poll(std::uint32_t max_records, milliseconds timeout, const cancel *cancel = nullptr)
    {
        auto *got = detail::made<hstream_batch_t>(hstream_consumer_poll, c_ptr(), max_records, timeout.count(),
                                                  detail::c_ptr(cancel));
        return got ? std::optional(batch(got)) : std::nullopt;
    }
    /// Delivers to the callback until the consumer is stopped or closed.
    void run(milliseconds timeout = forever, const cancel *cancel = nullptr)
    {
        detail::check(hstream_consumer_run, c_ptr(), timeout.count(), detail::c_ptr(cancel));
    }
    void ack(const batch &batch) { detail::check(hstream_consumer_ack_batch, c_ptr(), batch.c_ptr()); }
    void ack(record_view record) { detail::check(hstream_consumer_ack_record, c_ptr(), record.c_ptr()); }
    void ack(const hstream_record_id_t *ids, std::size_t count)
    {
        detail::check(hstream_consumer_ack, c_ptr(), ids, count);
    }
    void ack(const std::vector<record_id> &ids) { ack(ids.data(), ids.size()); }
    /// All that was delivered of the record's shard, up to it.
    void ack_up_to(const record_id &last) { detail::check(hstream_consumer_ack_up_to, c_ptr(), &last); }
    void flush_acks(milliseconds timeout, const cancel *cancel = nullptr)
    {
        detail::check(hstream_consumer_flush_acks, c_ptr(), timeout.count(), detail::c_ptr(cancel));
    }
    std::uint64_t pending_acks() const noexcept { return hstream_consumer_pending_acks(c_ptr()); }
    std::uint64_t unacked_records() const noexcept { return hstream_consumer_unacked_records(c_ptr()); }
    /// One of HSTREAM_WAITING_*.
    std::int32_t waiting_for() const noexcept { return hstream_consumer_waiting_for(c_ptr()); }
    /// One of HSTREAM_STATE_*.
    std::int32_t state() const noexcept { return hstream_consumer_state(c_ptr()); }
    std::string_view consumer_name() const noexcept { return detail::text_of(hstream_consumer_name, c_ptr()); }
    /// Why it failed, or lost its connection last.
    std::optional<error> last_error() const
    {
        auto *last = hstream_consumer_last_error(c_ptr());
        return last ? std::optional(error(hstream_error_code(last), last)) : std::nullopt;
    }
    /// Readable while `poll` has something; -1 where there is none.
    int event_fd() const noexcept { return hstream_consumer_event_fd(c_ptr()); }
    /// No more deliveries, acks are sent; `start` goes on. In the callback it is a request.
    void stop(milliseconds timeout, const cancel *cancel = nullptr)
    {
        detail::check(hstream_consumer_stop, c_ptr(), timeout.count(), detail::c_ptr(cancel));
    }
    /// If it succeeds, the server has all acks.
    void close(milliseconds timeout, const cancel *cancel = nullptr)
    {
        detail::check(hstream_consumer_close, c_ptr(), timeout.count(), detail::c_ptr(cancel));
    }
};

/// Options of a reader. Copied when used. One thread at a time.
class reader_options
    : public detail::options<reader_options, hstream_reader_options_t, hstream_reader_options_new,
                             hstream_reader_options_free, hstream_reader_options_set> {
public:
    reader_options &from(const offset &where) { return with(hstream_reader_options_set_from, &where); }
    /// Inclusive; unset = follow.
    reader_options &until(const offset &where) { return with(hstream_reader_options_set_until, &where); }
    /// Goes on behind an earlier reader of the same stream.
    reader_options &position(const name &text) { return with_text(hstream_reader_options_set_position, text.c_str()); }
    /// 0 = no limit.
    reader_options &max_batches(std::uint64_t count) { return with(hstream_reader_options_set_max_batches, count); }
    /// As for consumers; `reader::start` begins.
    reader_options &on_batch(std::function<next(const batch &)> each,
                             std::function<void(const std::optional<error> &)> end = {})
    {
        detail::handed_over(detail::batch_callback{std::move(each), std::move(end)},
                            [this](void *user_data, hstream_release_fn release) {
                                with(hstream_reader_options_set_callback, &detail::batch_callback::called, user_data,
                                     release);
                            });
        return *this;
    }
};

/// Reads without a subscription. One thread at a time in `read`; the rest any.
class reader : public detail::owner<hstream_reader_t, detail::reader_ended> {
public:
    using owner::owner;
    /// Up to so many records; nothing if none came in time, or when all is read: then `ended` is true.
    std::optional<batch> read(std::uint32_t max_records, milliseconds timeout, const cancel *cancel = nullptr)
    {
        hstream_batch_t *got = nullptr;
        hstream_error_t *err = nullptr;
        const hstream_code_t code =
            hstream_reader_read(c_ptr(), max_records, timeout.count(), detail::c_ptr(cancel), &got, &err);
        if (code != HSTREAM_OK && code != HSTREAM_END)
            throw error(code, err);
        hstream_error_free(err);
        ended_ = code == HSTREAM_END;
        return got ? std::optional(batch(got)) : std::nullopt;
    }
    /// Whether the last `read` found the end. For the thread that reads.
    bool ended() const noexcept { return ended_; }
    void start() { detail::check(hstream_reader_start, c_ptr()); }
    void stop(milliseconds timeout, const cancel *cancel = nullptr)
    {
        detail::check(hstream_reader_stop, c_ptr(), timeout.count(), detail::c_ptr(cancel));
    }
    /// The last record of a shard that was handed out, if one was.
    std::optional<record_id> position(std::uint64_t shard_id) const
    {
        hstream_record_id_t id{};
        const hstream_code_t code = hstream_reader_position(c_ptr(), shard_id, &id);
        if (code == HSTREAM_ERR_INVALID_STATE)
            return std::nullopt;
        detail::check_code(code);
        return id;
    }
    /// Of all shards, for `reader_options::position`.
    std::string position_text() const { return detail::text_made(hstream_reader_position_text, c_ptr()); }
    /// Readable while `read` has something; -1 where there is none.
    int event_fd() const noexcept { return hstream_reader_event_fd(c_ptr()); }
    void close(milliseconds timeout, const cancel *cancel = nullptr)
    {
        detail::check(hstream_reader_close, c_ptr(), timeout.count(), detail::c_ptr(cancel));
    }

private:
    bool ended_ = false;
};

/// A named reader, which the server keeps, for as long as this lives: it is deleted at the end, whatever happens. The
/// client must outlive it. A record whose answer was lost is not read again.
class named_reader {
public:
    named_reader(hstream_client_t *client, name id) noexcept : client_(client), id_(std::move(id)) {}
    named_reader(named_reader &&other) noexcept
        : client_(std::exchange(other.client_, nullptr)), id_(std::move(other.id_))
    {
    }
    named_reader(const named_reader &) = delete;
    named_reader &operator=(named_reader) = delete;
    ~named_reader()
    {
        if (client_)
            (void)!hstream_client_delete_shard_reader(client_, id_.c_str(), HSTREAM_DELETE_IGNORE_MISSING, nullptr,
                                                      nullptr);
    }
    /// Up to so many batches as they were appended; 0 = 100.
    batch read(std::uint32_t max_batches, const call_options &call = {})
    {
        return batch(detail::made<hstream_batch_t>(hstream_client_read_shard, client_, id_.c_str(), max_batches,
                                                   call.c_ptr()));
    }
    /// Deletes it now, and throws if that fails.
    void close(const call_options &call = {})
    {
        if (!client_)
            return;
        detail::check(hstream_client_delete_shard_reader, client_, id_.c_str(), 0U, call.c_ptr());
        client_ = nullptr;
    }

private:
    hstream_client_t *client_;
    name id_;
};

// ---- Client -----------------------------------------------------------------------------------------------------

/// What became of one of several records.
struct appended {
    hstream_code_t code;
    record_id id; ///< Zeros where the code isn't HSTREAM_OK.
};

/// A connection to a cluster. Any thread. Its producers, consumers and readers go on when it is destroyed; `close`
/// ends them.
class client : public detail::owner<hstream_client_t, hstream_client_free> {
public:
    using owner::owner;
    static client connect(const client_options &options, const call_options &call = {})
    {
        return client(detail::made<hstream_client_t>(hstream_client_connect, options.c_ptr(), call.c_ptr()));
    }
    static client connect(const name &url) { return connect(client_options(url)); }
    /// Closes all that was made with it, too.
    void close(milliseconds timeout, const cancel *cancel = nullptr)
    {
        detail::check(hstream_client_close, c_ptr(), timeout.count(), detail::c_ptr(cancel));
    }
    std::string echo(const name &message, const call_options &call = {})
    {
        return detail::text_made(hstream_client_echo, c_ptr(), message.c_str(), call.c_ptr());
    }
    /// Looks at the cluster again now.
    void refresh(const call_options &call = {}) { detail::check(hstream_client_refresh, c_ptr(), call.c_ptr()); }
    void reload_tls() { detail::check(hstream_client_reload_tls, c_ptr()); }
    void set_auth_token(bytes token) { detail::check(hstream_client_set_auth_token, c_ptr(), token.data(), token.size()); }
    std::string metrics_json() const { return detail::text_made(hstream_client_metrics_json, c_ptr()); }
    /// One of HSTREAM_METRIC_*.
    std::uint64_t metric(std::int32_t metric) const noexcept { return hstream_client_metric(c_ptr(), metric); }

    stream create_stream(const name &stream, const stream_options &options = {}, const call_options &call = {})
    {
        return hstreamdb::stream(detail::made<hstream_stream_t>(hstream_client_create_stream, c_ptr(), stream.c_str(),
                                                                options.c_ptr(), call.c_ptr()));
    }
    streams list_streams(const name &prefix = "", const call_options &call = {})
    {
        return streams(
            detail::made<hstream_streams_t>(hstream_client_list_streams, c_ptr(), prefix.c_str(), call.c_ptr()));
    }
    stream get_stream(const name &stream, const call_options &call = {})
    {
        return hstreamdb::stream(
            detail::made<hstream_stream_t>(hstream_client_get_stream, c_ptr(), stream.c_str(), call.c_ptr()));
    }
    bool stream_exists(const name &stream, const call_options &call = {})
    {
        std::int32_t exists = 0;
        detail::check(hstream_client_stream_exists, c_ptr(), stream.c_str(), call.c_ptr(), &exists);
        return exists != 0;
    }
    /// HSTREAM_DELETE_*.
    void delete_stream(const name &stream, std::uint32_t flags = 0, const call_options &call = {})
    {
        detail::check(hstream_client_delete_stream, c_ptr(), stream.c_str(), flags, call.c_ptr());
    }

    shards list_shards(const name &stream, const call_options &call = {})
    {
        return shards(
            detail::made<hstream_shards_t>(hstream_client_list_shards, c_ptr(), stream.c_str(), call.c_ptr()));
    }
    std::uint64_t shard_for_key(const name &stream, bytes key, const call_options &call = {})
    {
        std::uint64_t id = 0;
        detail::check(hstream_client_shard_for_key, c_ptr(), stream.c_str(), key.data(), key.size(), call.c_ptr(), &id);
        return id;
    }
    record_id tail_record_id(const name &stream, std::uint64_t shard_id, const call_options &call = {})
    {
        hstream_record_id_t id{};
        detail::check(hstream_client_tail_record_id, c_ptr(), stream.c_str(), shard_id, call.c_ptr(), &id);
        return id;
    }
    /// Inclusive; for a stream earliest, latest or a time.
    void trim_stream(const name &stream, const offset &upto, const call_options &call = {})
    {
        detail::check(hstream_client_trim_stream, c_ptr(), stream.c_str(), &upto, call.c_ptr());
    }
    void trim_shard(const name &stream, std::uint64_t shard_id, const offset &upto, const call_options &call = {})
    {
        detail::check(hstream_client_trim_shard, c_ptr(), stream.c_str(), shard_id, &upto, call.c_ptr());
    }

    /// Waits until the record is written. It may be written twice if its outcome is not known, but is not lost.
    record_id append(const name &stream, const record &record, const call_options &call = {})
    {
        const hstream_record_t *one = record.c_ptr();
        hstream_record_id_t id{};
        detail::check(hstream_client_append, c_ptr(), stream.c_str(), &one, std::size_t{1}, nullptr, call.c_ptr(), &id,
                      nullptr);
        return id;
    }
    /// The same for several, in as few batches as possible; throws the first failure.
    std::vector<record_id> append(const name &stream, const std::vector<record> &records,
                                  const append_options &options = {}, const call_options &call = {})
    {
        std::vector<record_id> ids(records.size());
        detail::check(hstream_client_append, c_ptr(), stream.c_str(), pointers(records).data(), records.size(),
                      options.c_ptr(), call.c_ptr(), ids.data(), nullptr);
        return ids;
    }
    /// The same, and says of each what became of it.
    std::vector<appended> append_each(const name &stream, const std::vector<record> &records,
                                      const append_options &options = {}, const call_options &call = {})
    {
        std::vector<hstream_record_id_t> ids(records.size());
        std::vector<hstream_code_t> codes(records.size());
        const hstream_code_t first =
            hstream_client_append(c_ptr(), stream.c_str(), pointers(records).data(), records.size(), options.c_ptr(),
                                  call.c_ptr(), ids.data(), codes.data(), nullptr);
        if (records.empty())
            detail::check_code(first);
        std::vector<appended> outcomes;
        for (std::size_t i = 0; i < records.size(); i++)
            outcomes.push_back({codes[i], ids[i]});
        return outcomes;
    }
    hstreamdb::producer producer(const producer_options &options = {})
    {
        return hstreamdb::producer(
            detail::made<hstream_producer_t>(hstream_producer_new, c_ptr(), options.c_ptr()));
    }

    subscription create_subscription(const name &id, const name &stream, const subscription_options &options = {},
                                     const call_options &call = {})
    {
        return subscription(detail::made<hstream_subscription_t>(hstream_client_create_subscription, c_ptr(),
                                                                 id.c_str(), stream.c_str(), options.c_ptr(),
                                                                 call.c_ptr()));
    }
    subscriptions list_subscriptions(const name &prefix = "", const call_options &call = {})
    {
        return subscriptions(detail::made<hstream_subscriptions_t>(hstream_client_list_subscriptions, c_ptr(),
                                                                   prefix.c_str(), call.c_ptr()));
    }
    subscription get_subscription(const name &id, const call_options &call = {})
    {
        return subscription(detail::made<hstream_subscription_t>(hstream_client_get_subscription, c_ptr(), id.c_str(),
                                                                 call.c_ptr()));
    }
    bool subscription_exists(const name &id, const call_options &call = {})
    {
        std::int32_t exists = 0;
        detail::check(hstream_client_subscription_exists, c_ptr(), id.c_str(), call.c_ptr(), &exists);
        return exists != 0;
    }
    /// HSTREAM_DELETE_*.
    void delete_subscription(const name &id, std::uint32_t flags = 0, const call_options &call = {})
    {
        detail::check(hstream_client_delete_subscription, c_ptr(), id.c_str(), flags, call.c_ptr());
    }
    /// How far behind its stream it is, as JSON.
    std::string subscription_lag(const name &id, const call_options &call = {})
    {
        return detail::text_made(hstream_client_subscription_lag, c_ptr(), id.c_str(), call.c_ptr());
    }
    hstreamdb::consumer consumer(const name &subscription, const consumer_options &options = {},
                                 const call_options &call = {})
    {
        return hstreamdb::consumer(detail::made<hstream_consumer_t>(hstream_consumer_new, c_ptr(), subscription.c_str(),
                                                                    options.c_ptr(), call.c_ptr()));
    }

    reader read_stream(const name &stream, const reader_options &options = {}, const call_options &call = {})
    {
        return reader(detail::made<hstream_reader_t>(hstream_reader_open_stream, c_ptr(), stream.c_str(),
                                                     options.c_ptr(), call.c_ptr()));
    }
    reader read_shard(const name &stream, std::uint64_t shard_id, const reader_options &options = {},
                      const call_options &call = {})
    {
        return reader(detail::made<hstream_reader_t>(hstream_reader_open_shard, c_ptr(), stream.c_str(), shard_id,
                                                     options.c_ptr(), call.c_ptr()));
    }
    /// Ends at the tail.
    reader read_key(const name &stream, bytes key, const reader_options &options = {}, const call_options &call = {})
    {
        return reader(detail::made<hstream_reader_t>(hstream_reader_open_key, c_ptr(), stream.c_str(), key.data(),
                                                     key.size(), options.c_ptr(), call.c_ptr()));
    }
    /// Named readers; `wait` is how long the server may wait to fill a read.
    hstreamdb::named_reader named_reader(const name &id, const name &stream, std::uint64_t shard_id,
                                         const offset &where, std::uint32_t wait_ms, const call_options &call = {})
    {
        name owned = id;
        detail::check(hstream_client_create_shard_reader, c_ptr(), id.c_str(), stream.c_str(), shard_id, &where,
                      wait_ms, call.c_ptr());
        return {c_ptr(), std::move(owned)};
    }
    hstreamdb::named_reader named_key_reader(const name &id, const name &stream, bytes key, const offset &where,
                                             std::uint32_t wait_ms, const call_options &call = {})
    {
        name owned = id;
        detail::check(hstream_client_create_key_reader, c_ptr(), id.c_str(), stream.c_str(), key.data(), key.size(),
                      &where, wait_ms, call.c_ptr());
        return {c_ptr(), std::move(owned)};
    }

    cluster describe_cluster(const call_options &call = {})
    {
        return cluster(detail::made<hstream_cluster_t>(hstream_client_describe_cluster, c_ptr(), call.c_ptr()));
    }
    /// Where appends to the shard go.
    node lookup_shard(std::uint64_t shard_id, const call_options &call = {})
    {
        return node(detail::made<hstream_node_t>(hstream_client_lookup_shard, c_ptr(), shard_id, call.c_ptr()));
    }

private:
    static std::vector<const hstream_record_t *> pointers(const std::vector<record> &records)
    {
        std::vector<const hstream_record_t *> pointers;
        for (const record &each : records)
            pointers.push_back(each.c_ptr());
        return pointers;
    }
};

// ---- Log --------------------------------------------------------------------------------------------------------

/// A line of the library's log. Its texts are lent for the time of the callback.
struct log_line {
    std::int32_t level;
    time_point time;
    std::string_view target;
    std::string_view message;
};

namespace detail {

inline void logged(std::int32_t level, std::int64_t time_ms, const char *target, const char *message, std::size_t len,
                   void *callback) noexcept
{
    complain("log", [&] {
        (*static_cast<std::function<void(const log_line &)> *>(callback))(
            {level, time_point(milliseconds(time_ms)), target, {message, len}});
    });
}

} // namespace detail

/// Has lines up to a level, HSTREAM_LOG_*, told to a function, on a thread of the log; for the whole process.
inline void set_log(std::int32_t max_level, std::function<void(const log_line &)> callback)
{
    detail::handed_over(std::move(callback), [&](void *user_data, hstream_release_fn release) {
        detail::check(hstream_log_set_callback, max_level, &detail::logged, user_data, release);
    });
}

/// Takes the function away; it is not called any more when this returns.
inline void reset_log()
{
    detail::check(hstream_log_set_callback, HSTREAM_LOG_OFF, nullptr, nullptr, nullptr);
}

// ---- Development server -----------------------------------------------------------------------------------------

#ifdef HSTREAM_HAS_DEV_SERVER
/// A cluster in this process, where the library was built with one.
class dev_server : public detail::owner<hstream_dev_server_t, hstream_dev_server_free> {
public:
    explicit dev_server(std::uint32_t nodes = 1)
        : owner(detail::made<hstream_dev_server_t>(hstream_dev_server_start, nodes))
    {
    }
    std::string_view url() const noexcept { return detail::text_of(hstream_dev_server_url, c_ptr()); }
    /// Faults and speeds by name.
    void set(const name &key, const name &value)
    {
        detail::check(hstream_dev_server_set, c_ptr(), key.c_str(), value.c_str());
    }
};
#endif

} // namespace hstreamdb

#endif
