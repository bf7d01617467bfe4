package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/reading/sample"
)

// zoomDays is how far back a chart that can be zoomed goes.
const zoomDays = 730

// zoomable is a number's days as the script of the page draws them. The page itself holds the last three weeks as a drawing.
type zoomable struct {
	From  int64        `json:"from"` // noon of the first day, as if in UTC, s
	Lines [][]*float64 `json:"lines"`
}

// zoomData answers the days of a series: one line, of blood pressure both.
func (s *Server) zoomData(w http.ResponseWriter, r *http.Request, p *page) error {
	code := r.PathValue("series")
	today := clock.DayOf(p.Now, p.Zone)
	first := today.Add(1 - zoomDays)
	codes := []string{code}
	switch {
	case code == systolic:
		codes = []string{systolic, diastolic}
	case code == sample.Steps:
	case !slices.ContainsFunc(shownSeries, func(x shown) bool { return x.code == code }):
		return fault.NotFoundf("There is no such page.")
	}
	var lines [][]day
	for _, c := range codes {
		var list []day
		var err error
		if c != sample.Steps {
			list, err = s.daysOf(r.Context(), p, c, zoomDays)
		} else if list, err = s.stepDays(r.Context(), p, zoomDays); len(list) > 0 && list[len(list)-1].Day == today {
			list = list[:len(list)-1] // it is not over
		}
		if err != nil {
			return err
		}
		if len(list) > 0 && (len(lines) == 0 || list[0].Day.Before(first)) {
			first = list[0].Day
		}
		lines = append(lines, list)
	}
	n := today.Sub(first) + 1
	out := zoomable{From: time.Date(first.Year, first.Month, first.Date, 12, 0, 0, 0, time.UTC).Unix()}
	for _, list := range lines {
		line := make([]*float64, n)
		for _, d := range list {
			if i := d.Day.Sub(first); i >= 0 {
				line[i] = &d.Median
			}
		}
		out.Lines = append(out.Lines, line)
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(out)
}
