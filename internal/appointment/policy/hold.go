package policy

import "slices"

// Sitting is one visit of a clinician's day, in minutes from its opening.
type Sitting struct {
	Due   float64 // when it is booked
	Comes float64 // when the person is there
	Takes float64
}

// Hold holds one clinician's visits one after the other: of those who are there the one whose time is first. It answers the minutes
// that people waited past their time, together, and when the last visit ended. Nobody is seen before the day begins.
func Hold(list []Sitting) (wait, end float64) {
	left := slices.Clone(list)
	slices.SortStableFunc(left, func(a, b Sitting) int {
		switch {
		case a.Due < b.Due:
			return -1
		case a.Due > b.Due:
			return 1
		}
		return 0
	})
	for len(left) > 0 {
		next := slices.IndexFunc(left, func(x Sitting) bool { return x.Comes <= end })
		if next < 0 { // nobody is there yet: who comes first is seen
			next = 0
			for i, x := range left {
				if x.Comes < left[next].Comes {
					next = i
				}
			}
			end = left[next].Comes
		}
		x := left[next]
		wait += max(0, end-max(x.Due, x.Comes))
		end += x.Takes
		left = slices.Delete(left, next, next+1)
	}
	return wait, end
}
