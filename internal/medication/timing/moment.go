package timing

import (
	"errors"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fhir"
)

// moment is a FHIR dateTime: an instant, or the days it may mean.
type moment struct {
	at          time.Time // zero when it names no time
	first, last clock.Day // its date as written; "2026-03" is the whole month
}

// parseMoment reads "2026", "2026-03", "2026-03-08" or "2026-03-08T14:30:00-05:00".
func parseMoment(text fhir.DateTime) (moment, error) {
	s := string(text)
	for _, layout := range []string{"2006", "2006-01", "2006-01-02"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		first := clock.DayOf(t, time.UTC)
		last := first
		switch layout {
		case "2006":
			last = first.AddMonths(12).Add(-1)
		case "2006-01":
			last = first.AddMonths(1).Add(-1)
		}
		return moment{first: first, last: last}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return moment{}, errors.New("it is not a date or a time with its offset")
	}
	day := clock.DayOf(t, t.Location())
	return moment{at: t.UTC(), first: day, last: day}, nil
}
