// Writes two records to a stream and gets them back by way of a subscription: quickstart URL
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"hstreamdb"
)

func main() {
	url := "hstream://127.0.0.1:6570"
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := travel(ctx, url); err != nil {
		log.Fatal(err)
	}
}

func travel(ctx context.Context, url string) error {
	client, err := hstreamdb.Connect(ctx, url, nil)
	if err != nil {
		return err
	}
	defer client.Close(ctx)
	name := fmt.Sprintf("quickstart-%d", time.Now().UnixNano())
	if err := client.CreateStream(ctx, name, 1); err != nil {
		return err
	}
	defer client.DeleteStream(ctx, name, true)
	if err := client.CreateSubscription(ctx, name, name, nil); err != nil {
		return err
	}
	defer client.DeleteSubscription(ctx, name, true)
	if err := write(ctx, client, name); err != nil {
		return err
	}
	return read(ctx, client, name)
}

func write(ctx context.Context, client *hstreamdb.Client, stream string) error {
	producer, err := client.NewProducer(nil)
	if err != nil {
		return err
	}
	appender, err := producer.Open(ctx, stream)
	if err != nil {
		return err
	}
	for i, word := range []string{"hello", "world"} {
		if err := appender.Append(ctx, hstreamdb.Record{Payload: []byte(word)}, uint64(i)); err != nil {
			return err
		}
	}
	counts, err := producer.Close(ctx)
	fmt.Println(counts.Written, "written")
	return err
}

func read(ctx context.Context, client *hstreamdb.Client, subscription string) error {
	consumer, err := client.NewConsumer(ctx, subscription, nil)
	if err != nil {
		return err
	}
	for got := 0; got < 2; {
		records, err := consumer.Poll(ctx, 100)
		if err != nil {
			return err
		}
		for _, record := range records {
			fmt.Printf("%s: %s\n", record.ID, record.Payload)
		}
		if err := consumer.Ack(records...); err != nil {
			return err
		}
		got += len(records)
	}
	return consumer.Close(ctx)
}
