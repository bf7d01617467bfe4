package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Faults are what goes wrong in a world. The zero value is a world in which nothing does.
type Faults struct {
	SMSFails     float64 // share of texts that the gateway refuses for now
	SMSLost      float64 // share of texts that it takes and never delivers, without a report
	SMSRefused   float64 // share that it reports as undelivered
	ReportsTwice bool    // every delivery report comes twice, the second later
	MailDown     bool    //
	HubOffline   bool    // the hub keeps readings back every night and sends them in the morning
	Repeats      int     // every reading is sent so many times more
	DownFrom     time.Time
	DownUntil    time.Time // the scheduler stands still in between
}

// Names are the faults that doorstep sim --faults takes.
var Names = []string{"sms-fails", "sms-lost", "sms-refused", "reports-twice", "mail-down", "hub-offline", "repeats", "scheduler-down"}

// ParseFaults reads a list like "sms-lost,hub-offline".
func ParseFaults(list string, start time.Time) (Faults, error) {
	var f Faults
	for name := range strings.SplitSeq(list, ",") {
		switch name = strings.TrimSpace(name); name {
		case "":
		case "sms-fails":
			f.SMSFails = 0.2
		case "sms-lost":
			f.SMSLost = 0.1
		case "sms-refused":
			f.SMSRefused = 0.1
		case "reports-twice":
			f.ReportsTwice = true
		case "mail-down":
			f.MailDown = true
		case "hub-offline":
			f.HubOffline = true
		case "repeats":
			f.Repeats = 4
		case "scheduler-down":
			f.DownFrom, f.DownUntil = start.Add(24*time.Hour), start.Add(27*time.Hour)
		default:
			return f, fmt.Errorf("%q is not a fault (there are: %s)", name, strings.Join(slices.Clone(Names), ", "))
		}
	}
	return f, nil
}

// SchedulerDown reports whether the ledger's worker stands still.
func (f Faults) SchedulerDown(at time.Time) bool {
	return !at.Before(f.DownFrom) && at.Before(f.DownUntil)
}
