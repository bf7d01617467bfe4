package policy

// Overbook answers at which starts of one clinician's day a visit may be booked beside the one that stands there. Chance is, for each
// start in order, how likely it is that the visit booked there does not happen (0 where nothing is booked: such a start is simply
// free); extras are how many are booked beside it already. An extra visit is allowed only when, up to its start and up to every later
// one, the extras with it are at most share of the visits that are expected to be missed by then: the gap is likely there
// before somebody is put into it.
func Overbook(chance []float64, extras []int, share float64) []bool {
	out := make([]bool, len(chance))
	if share <= 0 {
		return out
	}
	gaps, had := 0.0, 0
	room := make([]bool, len(chance)) // one more extra can be borne up to here
	for i, p := range chance {
		gaps += p
		had += extras[i]
		room[i] = float64(had+1) <= share*gaps
	}
	ok := true
	for i := len(chance) - 1; i >= 0; i-- {
		ok = ok && room[i]
		out[i] = ok && chance[i] > 0 && extras[i] == 0
	}
	return out
}
