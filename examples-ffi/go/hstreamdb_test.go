package hstreamdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
	"unsafe"
)

func TestRecordIDsAreThoseOfC(t *testing.T) {
	if size := unsafe.Sizeof(RecordID{}); size != 24 {
		t.Fatalf("%d bytes", size)
	}
}

func TestErrorsSayWhatFailed(t *testing.T) {
	leavesNothing(t)
	client := connected(t, startServer(t).url, 1)
	err := client.DeleteStream(soon(t), "nothing", false)
	var known *Error
	if !errors.Is(err, ErrStreamNotFound) || errors.Is(err, ErrStreamExists) || !errors.As(err, &known) {
		t.Fatal(err)
	}
	if known.ServerName != "StreamNotFound" || known.Message == "" || known.Retryable || known.Ambiguous {
		t.Fatalf("%+v", known)
	}
	if _, err := Connect(soon(t), "hstream://127.0.0.1", Options{"no.such": "1"}); !errors.Is(err, ErrUnknownOption) {
		t.Fatal(err)
	}
	must(t, client.Close(soon(t)))
	must(t, client.Close(soon(t)))
	if _, err := client.Streams(soon(t)); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestTenThousandRecordsComeBack(t *testing.T) {
	leavesNothing(t)
	const all, batch = 10_000, 250
	client := connected(t, startServer(t).url, 4)
	producer, appender := opened(t, client, Options{"report.polling": "false", "reports": "none"})
	for first := 0; first < all; first += batch {
		records := make([]Record, batch)
		for i := range records {
			records[i] = Record{Key: fmt.Sprint("key-", i%7), Payload: []byte(fmt.Sprint(first + i))}
		}
		accepted, err := appender.AppendAll(soon(t), records, uint64(first))
		must(t, err)
		if accepted != batch {
			t.Fatalf("%d accepted", accepted)
		}
	}
	appender.Close()
	counts, err := producer.Flush(soon(t))
	must(t, err)
	if counts.Failed+counts.Unknown != 0 {
		t.Fatalf("%+v", counts)
	}
	_, err = producer.Close(soon(t))
	must(t, err)

	consumer, err := client.NewConsumer(soon(t), "events", nil)
	must(t, err)
	seen := make(map[string]bool)
	for len(seen) < all {
		records, err := consumer.Poll(soon(t), 1000)
		must(t, err)
		for _, record := range records {
			if record.Err != nil || record.Key == "" || record.Published.IsZero() || seen[string(record.Payload)] {
				t.Fatalf("%+v", record)
			}
			seen[string(record.Payload)] = true
		}
		must(t, consumer.Ack(records...))
	}
	must(t, consumer.Close(soon(t)))
	must(t, client.Close(soon(t)))
}

func TestEachRecordIsReported(t *testing.T) {
	leavesNothing(t)
	server := startServer(t)
	client := connected(t, server.url, 1)
	producer, appender := opened(t, client, nil)
	must(t, appender.Append(soon(t), Record{Payload: []byte(`{"a":1}`), JSON: true}, 7))
	must(t, appender.Append(soon(t), Record{Payload: nil, Key: "k"}, 8))
	tags := make(map[uint64]bool)
	for len(tags) < 2 {
		reports, err := producer.Poll(soon(t), 10)
		must(t, err)
		for _, report := range reports {
			if report.Err != nil || report.ID.BatchID == 0 {
				t.Fatalf("%+v", report)
			}
			tags[report.Tag] = true
		}
	}
	if !tags[7] || !tags[8] {
		t.Fatal(tags)
	}
	server.order(t, "refuse Append 3 not this one")
	must(t, appender.Append(soon(t), Record{Payload: []byte("late")}, 9))
	reports, err := producer.Poll(soon(t), 10)
	must(t, err)
	if len(reports) != 1 || reports[0].Tag != 9 || code(reports[0].Err) != 103 {
		t.Fatalf("%+v", reports)
	}
	_, err = producer.Close(soon(t))
	must(t, err)
	appender.Close()
	must(t, client.Close(soon(t)))
}

func TestAReaderEnds(t *testing.T) {
	leavesNothing(t)
	client := connected(t, startServer(t).url, 1)
	first, err := client.Append(soon(t), "events", Record{Payload: []byte(`{"n":1.5}`), JSON: true})
	must(t, err)
	_, err = client.Append(soon(t), "events", Record{Payload: []byte("\x00\xff"), Key: "k"})
	must(t, err)
	reader, err := client.NewReader(soon(t), "events", Options{"until": "latest"})
	must(t, err)
	var all []Received
	for {
		records, err := reader.Read(soon(t), 100)
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		all = append(all, records...)
	}
	if len(all) != 2 || all[0].ID != first || string(all[0].Payload) != `{"n":1.5}` || !all[0].JSON {
		t.Fatalf("%+v", all)
	}
	if string(all[1].Payload) != "\x00\xff" || all[1].Key != "k" || all[1].JSON {
		t.Fatalf("%+v", all[1])
	}
	must(t, reader.Close(soon(t)))
	must(t, client.Close(soon(t)))
}

// Eight goroutines wait on one producer. The one whose context is cancelled returns, and no other.
func TestACancelledContextEndsItsOwnCallAlone(t *testing.T) {
	leavesNothing(t)
	server := startServer(t)
	client := connected(t, server.url, 1)
	producer, appender := opened(t, client, nil)
	server.order(t, "delay Append 600000")
	type outcome struct {
		who int
		id  RecordID
		err error
	}
	const all = 8
	returned := make(chan outcome, all)
	cancels := make([]context.CancelFunc, all)
	for who := range all {
		var ctx context.Context
		ctx, cancels[who] = context.WithCancel(soon(t))
		go func() {
			id, err := appender.AppendWait(ctx, Record{Payload: fmt.Append(nil, who)})
			returned <- outcome{who, id, err}
		}()
	}
	eventually(t, "not all wait", func() bool { return pending(t, producer) == all })
	cancels[3]()
	cancelled := <-returned
	if cancelled.who != 3 || !errors.Is(cancelled.err, context.Canceled) {
		t.Fatalf("%+v", cancelled)
	}
	var known *Error
	if !errors.As(cancelled.err, &known) || !known.Ambiguous {
		t.Fatalf("%+v", cancelled.err)
	}
	select {
	case other := <-returned:
		t.Fatalf("another one returned: %+v", other)
	case <-time.After(200 * time.Millisecond):
	}
	server.order(t, "clear")
	server.order(t, "cut_calls Append * 14")
	for range all - 1 {
		if other := <-returned; other.err != nil || other.id.BatchID == 0 {
			t.Fatalf("%+v", other)
		}
	}
	for _, cancel := range cancels {
		cancel()
	}
	_, err := producer.Close(soon(t))
	must(t, err)
	appender.Close()
	must(t, client.Close(soon(t)))
}

func TestADeadlineEndsACall(t *testing.T) {
	leavesNothing(t)
	client := connected(t, startServer(t).url, 1)
	consumer, err := client.NewConsumer(soon(t), "events", nil)
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := consumer.Poll(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if _, err := consumer.Poll(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	_, err = client.Append(soon(t), "events", Record{Payload: []byte("x")})
	must(t, err)
	records, err := consumer.Poll(soon(t), 1)
	must(t, err)
	if len(records) != 1 {
		t.Fatal(records)
	}
	must(t, consumer.Close(soon(t)))
	must(t, client.Close(soon(t)))
}

// What is not written in time is given up, and the producer is closed all the same; so it is by a deadline that has
// passed before. A cancelled close can be made again.
func TestACloseGivesUpAtItsDeadline(t *testing.T) {
	leavesNothing(t)
	server := startServer(t)
	client := connected(t, server.url, 1)
	server.order(t, "delay Append 600000 times=always")
	past, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	near, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	for _, ctx := range []context.Context{near, past} {
		producer, appender := opened(t, client, nil)
		must(t, appender.Append(soon(t), Record{Payload: []byte("x")}, 0))
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := producer.Close(cancelled); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if _, err := producer.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if _, err := producer.PendingRecords(); !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
		appender.Close()
	}
	must(t, client.Close(soon(t)))
}

// A close ends the calls that are inside, and then frees.
func TestACloseEndsWhoWaits(t *testing.T) {
	leavesNothing(t)
	client := connected(t, startServer(t).url, 1)
	consumer, err := client.NewConsumer(soon(t), "events", nil)
	must(t, err)
	returned := make(chan error, 4)
	for range cap(returned) {
		go func() {
			_, err := consumer.Poll(context.Background(), 1)
			returned <- err
		}()
	}
	must(t, consumer.Close(soon(t)))
	for range cap(returned) {
		if err := <-returned; !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	}
	must(t, client.Close(soon(t)))
}

func TestWhatIsForgottenIsFreed(t *testing.T) {
	leavesNothing(t)
	url := startServer(t).url
	func() {
		client := connected(t, url, 1)
		_, appender := opened(t, client, nil)
		must(t, appender.Append(soon(t), Record{Payload: []byte("x")}, 0))
		_, err := client.NewConsumer(soon(t), "events", nil)
		must(t, err)
		_, err = client.NewReader(soon(t), "events", nil)
		must(t, err)
		if LiveHandles() < 5 {
			t.Fatal(LiveHandles())
		}
	}()
}
