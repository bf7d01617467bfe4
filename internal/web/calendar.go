package web

import (
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/medication"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// doseCalendar is four weeks of doses, a box a day.
type doseCalendar struct {
	Say   string
	Chart string
	Heads []string
	Rows  [][]string
	Went  []string // how it went, a sentence each
}

const calendarDays = 28

// doseDays counts, for each day, how many doses are known to be done. It answers nil while there were none.
func (s *Server) doseDays(tx *store.Tx, p *page) (*doseCalendar, error) {
	today := p.Patient.DayOf(p.Now)
	first := today.Add(1 - calendarDays)
	kinds := make([]string, calendarDays)
	c := &doseCalendar{Heads: []string{p.T("numbers.day"), p.T("numbers.doses.count")}}
	list, err := s.Medication.Between(tx, p.Patient, clockAt(first, p.Patient), clockAt(today.Add(1), p.Patient))
	if err != nil {
		return nil, err
	}
	yesOf, allOf := map[clock.Day]int{}, map[clock.Day]int{}
	for _, x := range list {
		d := p.Patient.DayOf(x.Due)
		switch x.Status {
		case medication.Taken, medication.Late, medication.Opened:
			yesOf[d]++
			allOf[d]++
		case medication.Missed, medication.Skipped:
			allOf[d]++
		}
	}
	done, due := 0, 0
	for i := range calendarDays {
		d := first.Add(i)
		yes, all := yesOf[d], allOf[d]
		kinds[i] = cellKind(yes, all)
		done, due = done+yes, due+all
		if all > 0 {
			c.Rows = append(c.Rows, []string{p.shortDay(d), p.T("numbers.of", "n", p.Num(float64(yes), 0), "all", p.Num(float64(all), 0))})
		}
	}
	if due == 0 {
		return nil, nil
	}
	c.Say = p.T("numbers.doses.say", "n", p.Num(float64(done), 0), "all", p.Num(float64(due), 0))
	// A week begins on Sunday in English, on Monday in Spanish, as calendars on the wall do.
	begin := time.Sunday
	if p.Lang == "es" {
		begin = time.Monday
	}
	heads := make([]string, 7)
	for i := range heads {
		heads[i] = words.Weekday(p.Lang, (begin+time.Weekday(i))%7)
	}
	if c.Went, err = s.went(tx, p); err != nil {
		return nil, err
	}
	c.Chart = calendar(c.Say, heads, int(first.Weekday()-begin+7)%7, kinds)
	return c, nil
}

func cellKind(yes, all int) string {
	switch {
	case all == 0:
		return "none"
	case yes == all:
		return "taken"
	case yes > 0:
		return "part"
	}
	return "missed"
}
