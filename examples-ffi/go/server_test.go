package hstreamdb

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A server is a development server in a process of its own. HSTREAM_DEV_SERVER names the program, if it is not in the
// PATH.
type server struct {
	url     string
	control net.Conn
	answers *bufio.Reader
}

func startServer(t *testing.T) *server {
	t.Helper()
	program := os.Getenv("HSTREAM_DEV_SERVER")
	if program == "" {
		program = "hstream-dev-server"
	}
	process := exec.Command(program, "--port", "0", "--control-port", "0", "--json")
	output, err := process.StdoutPipe()
	must(t, err)
	must(t, process.Start())
	t.Cleanup(func() {
		process.Process.Kill()
		process.Wait()
	})
	var told struct{ URL, Control string }
	lines := json.NewDecoder(output)
	for told.URL == "" || told.Control == "" {
		must(t, lines.Decode(&told))
	}
	control, err := net.Dial("tcp", told.Control)
	must(t, err)
	t.Cleanup(func() { control.Close() })
	return &server{told.URL, control, bufio.NewReader(control)}
}

// order has the server fail in some way.
func (s *server) order(t *testing.T, command string) {
	t.Helper()
	fmt.Fprintln(s.control, command)
	answer, err := s.answers.ReadString('\n')
	must(t, err)
	if !strings.HasPrefix(answer, "ok") {
		t.Fatalf("%s: %s", command, answer)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// soon is a context that fails a test which hangs.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// connected has a stream and a subscription `events`.
func connected(t *testing.T, url string, shards int) *Client {
	t.Helper()
	client, err := Connect(soon(t), url, nil)
	must(t, err)
	must(t, client.CreateStream(soon(t), "events", shards))
	must(t, client.CreateSubscription(soon(t), "events", "events", nil))
	return client
}

func opened(t *testing.T, client *Client, options Options) (*Producer, *Appender) {
	t.Helper()
	producer, err := client.NewProducer(options)
	must(t, err)
	appender, err := producer.Open(soon(t), "events")
	must(t, err)
	return producer, appender
}

// leavesNothing checks at the end of a test that all is freed, and that no goroutine is left.
func leavesNothing(t *testing.T) {
	t.Helper()
	goroutines := runtime.NumGoroutine()
	t.Cleanup(func() {
		eventually(t, "handles are left", func() bool { return LiveHandles() == 0 })
		eventually(t, "goroutines are left", func() bool { return runtime.NumGoroutine() <= goroutines })
	})
}

// eventually waits for a condition, with a deadline. The garbage collector may have to help.
func eventually(t *testing.T, otherwise string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d handles, %d goroutines", otherwise, LiveHandles(), runtime.NumGoroutine())
		}
		runtime.GC()
	}
}

func pending(t *testing.T, producer *Producer) int {
	t.Helper()
	count, err := producer.PendingRecords()
	must(t, err)
	return int(count)
}
