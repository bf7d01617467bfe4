package store

import (
	"context"
	"sync"
)

// bus carries hints between goroutines and, on PostgreSQL, between nodes. A hint says "look again", never what is there.
type bus struct {
	mu    sync.Mutex
	heard map[string]map[chan string]struct{}
	relay func(topic, body string) // to the other nodes; nil on SQLite
	stops []func()
}

func newBus() *bus { return &bus{heard: map[string]map[chan string]struct{}{}} }

func (b *bus) send(topic, body string) {
	b.local(topic, body)
	if b.relay != nil {
		b.relay(topic, body)
	}
}

func (b *bus) local(topic, body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ch := range b.heard[topic] {
		for {
			select {
			case ch <- body:
			default:
				select { // full: drop the oldest, a hint is a hint
				case <-ch:
				default:
				}
				continue
			}
			break
		}
	}
}

func (b *bus) listen(ctx context.Context, topic string) <-chan string {
	ch := make(chan string, 64)
	b.mu.Lock()
	if b.heard[topic] == nil {
		b.heard[topic] = map[chan string]struct{}{}
	}
	b.heard[topic][ch] = struct{}{}
	b.mu.Unlock()
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.heard[topic], ch)
	})
	return ch
}

func (b *bus) close() {
	for _, stop := range b.stops {
		stop()
	}
}
