package app

import (
	"time"

	"doorstep/internal/promise"
)

func minutes(n int) promise.Duration { return promise.Duration(time.Duration(n) * time.Minute) }

func severity(s promise.Severity) *promise.Severity { return &s }

// DoseLadder is what follows a dose without a word: the pill box lights up, a reminder that asks, another, and it is over.
var DoseLadder = promise.Ladder{Name: "dose", Version: 1, Rungs: []promise.Rung{
	{After: 0, Do: promise.Tell, To: "patient", Say: "dose", Useful: minutes(60), Ask: true},
	{After: minutes(30), Do: promise.Tell, To: "patient", Say: "dose", Useful: minutes(60), Ask: true},
}}

// Ladders are those that every organization begins with.
var Ladders = []promise.Ladder{DoseLadder}
