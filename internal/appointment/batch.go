package appointment

import (
	"math"
	"time"
)

// Offering by batches: to ask people one by one wastes the time that is left, to ask everybody makes many run for one. A batch is as
// large as it must be for the time to be taken with a chance that grows as the visit comes near.
const (
	offersMost = 8 // for one freed time, over all its batches

	// What is expected of an offer before there are answers of our own: 27 in 100 are accepted, as if 20 had been seen.
	priorYes, priorAll = 5.4, 20.0
)

// acceptance estimates the share of offers that are accepted, from those of late and the prior.
func acceptance(yes, all int) float64 { return (float64(yes) + priorYes) / (float64(all) + priorAll) }

// batchSize answers how many to ask at once: the fewest of whom one says yes with the chance that is wanted so long before the visit.
func batchSize(p float64, left time.Duration, asked int) int {
	want := 0.55
	switch {
	case left < 4*time.Hour:
		want = 0.9
	case left < 24*time.Hour:
		want = 0.75
	}
	n := int(math.Ceil(math.Log(1-want) / math.Log(1-p)))
	return max(0, min(n, offersMost-asked))
}

// answerWithin answers how long an offer stands: half an hour, less when the visit is near, more when there is time.
func answerWithin(left time.Duration) time.Duration {
	switch {
	case left < 3*time.Hour:
		return 10 * time.Minute
	case left < 24*time.Hour:
		return 30 * time.Minute
	}
	return 2 * time.Hour
}
