// Package policy holds the rules by which a clinic's time is given out, and a simulator that tells what a set of rules does before
// anybody is subject to it. The rules are plain functions: the service of visits calls the very functions that the simulator calls.
package policy

import (
	"math"
	"time"
)

// Offering by batches: to ask people one by one wastes the time that is left, to ask everybody makes many run for one. A batch is as
// large as it must be for the time to be taken with a chance that grows as the visit comes near.
const (
	OffersMost = 8 // for one freed time, over all its batches

	TooLate   = 30 * time.Minute // so near its start a freed time is offered no more
	LookAgain = 15 * time.Minute // for somebody new on the list
	Sooner    = 24 * time.Hour   // how much earlier a time must be for somebody who has one already

	// What is expected of an offer before there are answers of our own: 27 in 100 are accepted, as if 20 had been seen.
	priorYes, priorAll = 5.4, 20.0
)

// Acceptance estimates the share of offers that are accepted, from those of late and the prior.
func Acceptance(yes, all int) float64 { return (float64(yes) + priorYes) / (float64(all) + priorAll) }

// BatchSize answers how many to ask at once: the fewest of whom one says yes with the chance that is wanted so long before the visit.
func BatchSize(p float64, left time.Duration, asked int) int {
	want := 0.55
	switch {
	case left < 4*time.Hour:
		want = 0.9
	case left < 24*time.Hour:
		want = 0.75
	}
	n := int(math.Ceil(math.Log(1-want) / math.Log(1-p)))
	return max(0, min(n, OffersMost-asked))
}

// AnswerWithin answers how long an offer stands: half an hour, less when the visit is near, more when there is time.
func AnswerWithin(left time.Duration) time.Duration {
	switch {
	case left < 3*time.Hour:
		return 10 * time.Minute
	case left < 24*time.Hour:
		return 30 * time.Minute
	}
	return 2 * time.Hour
}

// Turns is how many turns there are among those who wait for one time.
const Turns = 3

// Turn answers in which turn somebody is asked, from 0: who has let offers pass without a word, so many in a row, comes after those who have not. Nobody
// is left out, and one answer, be it a no, brings her back to the front. Without this the front of the list fills up with people
// whom offers do not reach, and almost every offer is lost.
func Turn(silent int) int { return min(silent, Turns-1) }
