package slot

// seating fills pools that share resources, so that nobody is in two places: a matching of pools to resources.
type seating struct {
	in     []int32 // per resource: the last pool it was seen in, counted from 1
	holds  []int32 // per resource: the pool that has it, counted from 1
	asked  []int32 // per resource: the round in which it was asked last
	round  int32
	bit    int
	barred Handle // nobody may have it
}

// seated reports whether each pool can have a resource of its own at the start of a bit, where the forced pool has taken one
// already (-1: none).
func (f *Starts) seated(bit, forced int, taken Handle) bool {
	s := &f.seat
	n := len(s.in)
	s.holds, s.asked = sized(s.holds, n), sized(s.asked, n)
	clear(s.holds)
	clear(s.asked)
	s.bit, s.barred, s.round = bit, -1, 0
	if forced >= 0 {
		s.barred = taken
	}
	for p := range f.pools {
		s.round++
		if p != forced && !f.seatOne(p) {
			return false
		}
	}
	return true
}

// seatOne finds a resource for a pool; a pool that holds it may have to take another (Kuhn's augmenting path).
func (f *Starts) seatOne(p int) bool {
	s := &f.seat
	for j, h := range f.pools[p] {
		if h == s.barred || s.asked[h] == s.round || !f.can(s.bit, p, j) {
			continue
		}
		s.asked[h] = s.round
		if s.holds[h] == 0 || f.seatOne(int(s.holds[h])-1) {
			s.holds[h] = int32(p + 1)
			return true
		}
	}
	return false
}
