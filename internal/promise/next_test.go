package promise

import "testing"

// What the agenda said is not put over what somebody has told since it was read.
func TestSetDoesNotHideASoonerHint(t *testing.T) {
	t.Parallel()
	n := next{wake: make(chan struct{}, 1)}
	first := func() int64 {
		_, _, _, at := n.first(0, nil)
		return at
	}
	for v := range n.at {
		for shard := range n.at[v] {
			n.at[v][shard] = 1000
		}
	}
	mark := n.asOf(Urgent, 7)
	n.sooner(Urgent, 7, 50)
	n.set(Urgent, 7, 900, mark)
	if at := first(); at != 50 {
		t.Errorf("first due at %d, want 50", at)
	}
	n.set(Urgent, 7, 900, n.asOf(Urgent, 7)) // read after the hint: it has been climbed
	if at := first(); at != 900 {
		t.Errorf("first due at %d, want 900", at)
	}
	mark = n.asOf(Urgent, 7)
	n.sooner(Urgent, 7, 950) // later than what is known, which may itself be gone
	n.set(Urgent, 7, 2000, mark)
	if at := first(); at > 950 {
		t.Errorf("first due at %d, want at most 950", at)
	}
}
