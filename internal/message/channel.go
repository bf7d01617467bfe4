package message

import "context"

// Channel hands messages to the world. Send answers one Result per message, in order; it must end when ctx does.
type Channel interface {
	Send(ctx context.Context, batch []Outgoing) []Result
}

// Counter is a channel that takes everything and counts it: for benchmarks, and for pages, which need no sending.
type Counter struct{ N int64 }

func (c *Counter) Send(_ context.Context, batch []Outgoing) []Result {
	c.N += int64(len(batch))
	return make([]Result, len(batch))
}
