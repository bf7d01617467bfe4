package app

import (
	"slices"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/conversation"
	"doorstep/internal/journey"
	"doorstep/internal/medication"
	"doorstep/internal/pathway"
	"doorstep/internal/promise"
	"doorstep/internal/reading/watch"
	"doorstep/internal/transport"
)

func minutes(n int) promise.Duration { return promise.Duration(time.Duration(n) * time.Minute) }

// DoseLadder is what follows a dose without a word: a light on the pill box, a reminder that asks, another, and it is missed.
var DoseLadder = promise.Ladder{Name: medication.Ladder, Version: 1, Rungs: []promise.Rung{
	{After: 0, Do: promise.Tell, To: "patient", Say: "dose", Useful: minutes(60), Ask: true},
	{After: minutes(30), Do: promise.Tell, To: "patient", Say: "dose", Useful: minutes(60), Ask: true},
}}

// Ladders are those that every organization begins with.
var Ladders = append([]promise.Ladder{
	DoseLadder,
	{Name: medication.CriticalLadder, Version: 1, Rungs: []promise.Rung{
		{After: 0, Do: promise.Light, To: "patient", Say: "dose", Useful: minutes(30)},
		{After: 0, Do: promise.Tell, To: "patient", Say: "dose", Useful: minutes(60), Ask: true},
		{After: minutes(30), Do: promise.Tell, To: "patient", Say: "dose", Useful: minutes(60), Ask: true},
		{After: minutes(60), Do: promise.Tell, To: "caregivers", Say: "dose.caregiver"},
		{After: minutes(90), Do: promise.Task, To: "role:desk", Say: "dose"},
	}},
	{Name: medication.RefillLadder, Version: 1, Rungs: []promise.Rung{
		{After: 0, Do: promise.Task, To: "role:desk", Say: "refill"},
		{After: 0, Do: promise.Tell, To: "patient", Say: "refill", Useful: minutes(24 * 60)},
		{After: minutes(24 * 60), Do: promise.Task, To: "role:nurse", Say: "refill"},
	}},
	{Name: medication.TravelLadder, Version: 1, Rungs: []promise.Rung{
		{After: 0, Do: promise.Tell, To: "patient", Say: "travel", Ask: true},
		{After: minutes(360), Do: promise.Task, To: "role:nurse", Say: "travel"},
	}},
	{Name: pathway.Ladder, Version: 1, Rungs: []promise.Rung{
		{After: 0, Do: promise.Tell, To: "patient", Say: "step", Useful: minutes(8 * 60), Ask: true},
	}},
	{Name: pathway.StaffLadder, Version: 1, Rungs: []promise.Rung{
		{After: 0, Do: promise.Task, To: "role:nurse", Say: "step"},
	}},
	{Name: watch.Ladder, Version: 1, Rungs: []promise.Rung{
		{After: 0, Do: promise.Tell, To: "patient", Say: "reading", Useful: minutes(120)},
		{After: minutes(120), Do: promise.Tell, To: "caregivers", Say: "reading.caregiver"},
		{After: minutes(180), Do: promise.Task, To: "role:nurse", Say: "reading"},
	}},
	// Until somebody has taken the alert it goes on to the next nurse, to whoever answers for the nurses, and to what the patient was
	// told to do when nobody comes. Time makes nothing severe: that is for rules to say.
	{Name: watch.AlertLadder, Version: 2, Rungs: []promise.Rung{
		{After: 0, Do: promise.Page, To: "role:nurse", Say: "alert"},
		{After: 0, Do: promise.Tell, To: "patient", Say: "alert.patient"},
		{After: 0, Do: promise.Tell, To: "caregivers", Say: "alert.caregiver"},
		{After: minutes(10), Do: promise.Page, To: "next:nurse", Say: "alert", Unless: promise.Taken},
		{After: minutes(20), Do: promise.Page, To: "role:clinician", Say: "alert", Unless: promise.Taken},
		{After: minutes(30), Do: promise.Tell, To: "patient", Say: "alert.own", Unless: promise.Taken},
		{After: minutes(40), Do: promise.Page, To: "role:desk", Say: "call"},
	}},
	{Name: watch.SilenceLadder, Version: 2, Rungs: []promise.Rung{
		{After: 0, Do: promise.Page, To: "role:nurse", Say: "silence"},
		{After: 0, Do: promise.Tell, To: "patient", Say: "silence.patient"},
		{After: 0, Do: promise.Tell, To: "caregivers", Say: "silence.caregiver"},
		{After: minutes(40), Do: promise.Page, To: "role:desk", Say: "call"},
	}},
	{Name: conversation.Ladder, Version: 1, Rungs: []promise.Rung{
		{After: 0, Do: promise.Task, To: "role:nurse", Say: "answer"},
		{After: minutes(180), Do: promise.Page, To: "role:nurse", Say: "answer"},
		{After: minutes(210), Do: promise.Task, To: "role:desk", Say: "answer"},
	}},
	{Name: conversation.DeskLadder, Version: 1, Rungs: []promise.Rung{
		{After: 0, Do: promise.Task, To: "role:desk", Say: "answer"},
		{After: minutes(90), Do: promise.Page, To: "role:desk", Say: "answer"},
		{After: minutes(105), Do: promise.Task, To: "role:nurse", Say: "answer"},
	}},
	{Name: conversation.RedLadder, Version: 1, Rungs: []promise.Rung{
		{After: 0, Do: promise.Page, To: "role:nurse", Say: "red"},
		{After: minutes(4), Do: promise.Page, To: "next:nurse", Say: "red", Unless: promise.Taken},
		{After: minutes(7), Do: promise.Page, To: "role:desk", Say: "red", Unless: promise.Taken},
	}},
	{Name: conversation.CallLadder, Version: 1, Rungs: []promise.Rung{
		{After: 0, Do: promise.Task, To: "role:desk", Say: "callback"},
		{After: minutes(20), Do: promise.Page, To: "role:desk", Say: "callback"},
	}},
}, slices.Concat(appointment.Ladders(), journey.Ladders(), transport.Ladders())...)
