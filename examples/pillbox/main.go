// Pillbox is a simulated pill box: it signs in to a Doorstep server by MQTT 5, sends one event and waits until the server has it, or
// listens and prints its light. The format is in docs/pillbox.md. It uses nothing of Doorstep: a device maker can begin with a copy.
//
//	pillbox [-broker ADDR] -device ID -key KEY open|close|dispense|tap|weight|battery|listen [-slot N] [-value X]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// event is what the box tells (topic doorstep/v1/{device}/up/pill).
type event struct {
	Seq   int64     `json:"seq"`   // goes up by one; here the time does, so that the number survives a restart
	At    time.Time `json:"at"`    // when it happened, by the box's clock
	Clock time.Time `json:"clock"` // the box's time when it sends
	Event string    `json:"event"`
	Slot  int       `json:"slot,omitempty"`
	Value float64   `json:"value,omitempty"` // grams or percent
}

// cue is what the box is asked to show (topic doorstep/v1/{device}/down/cue).
type cue struct {
	Cue   string    `json:"cue"`
	Slot  int       `json:"slot"`
	Until time.Time `json:"until"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pillbox:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("pillbox", flag.ContinueOnError)
	broker := f.String("broker", "127.0.0.1:1883", "address of the server's MQTT")
	device := f.String("device", "", "the device's id")
	key := f.String("key", "", "the device's key")
	slot := f.Int("slot", 1, "compartment")
	value := f.Float64("value", 0, "grams for weight, below 0 when something is taken out; percent for battery")
	if err := f.Parse(args); err != nil {
		return err
	}
	what := f.Arg(0)
	if f.NArg() > 1 { // flags may stand behind the word too
		if err := f.Parse(f.Args()[1:]); err != nil {
			return err
		}
	}
	if *device == "" || *key == "" || what == "" {
		return fmt.Errorf("want -device, -key and one of open, close, dispense, tap, weight, battery, listen")
	}
	conn, err := net.DialTimeout("tcp", *broker, 10*time.Second)
	if err != nil {
		return err
	}
	light := make(chan cue, 8)
	client := paho.NewClient(paho.ClientConfig{ClientID: *device, Conn: conn, OnPublishReceived: []func(paho.PublishReceived) (bool, error){
		func(p paho.PublishReceived) (bool, error) {
			var c cue
			if err := json.Unmarshal(p.Packet.Payload, &c); err != nil {
				return true, nil // what a box does not know it leaves
			}
			light <- c
			return true, nil
		}}})
	if _, err := client.Connect(ctx, &paho.Connect{ClientID: *device, CleanStart: true, KeepAlive: 30, Username: *device, UsernameFlag: true, Password: []byte(*key),
		PasswordFlag: true}); err != nil {
		return fmt.Errorf("the server does not let the box in: %w", err)
	}
	defer client.Disconnect(&paho.Disconnect{})
	topic := "doorstep/v1/" + *device
	if what == "listen" {
		if _, err := client.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic + "/down/cue", QoS: 1}}}); err != nil {
			return err
		}
		fmt.Fprintln(out, "the box listens")
		for {
			select {
			case c := <-light:
				fmt.Fprintf(out, "%s, slot %d, until %s\n", c.Cue, c.Slot, c.Until.Format(time.RFC3339))
			case <-ctx.Done():
				return nil
			}
		}
	}
	now := time.Now()
	e := event{Seq: now.UnixMilli(), At: now, Clock: now, Event: what, Slot: *slot, Value: *value}
	if what == "weight" {
		e.Event = "weight_delta"
	}
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	answer, err := client.Publish(ctx, &paho.Publish{Topic: topic + "/up/pill", QoS: 1, Payload: body})
	if err != nil {
		return fmt.Errorf("the server did not take it: %w", err)
	}
	fmt.Fprintf(out, "%s: stored (%d)\n", e.Event, answer.ReasonCode)
	return nil
}
