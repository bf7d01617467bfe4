package turn

import (
	"net"
	"sync"
)

// quota counts what each seat holds of the relay, so that nobody holds all of it.
type quota struct {
	mu   sync.Mutex
	most int
	held map[string]int
}

func newQuota(most int) *quota { return &quota{most: most, held: map[string]int{}} }

// room reports whether a seat may have one more.
func (q *quota) room(seat, _ string, _ net.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held[seat] < q.most
}

func (q *quota) took(seat string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held[seat]++
}

func (q *quota) gave(seat string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held[seat]--; q.held[seat] <= 0 {
		delete(q.held, seat)
	}
}
