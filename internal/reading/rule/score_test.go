package rule

import (
	"testing"
	"time"
)

// A rule on NEWS2 works the score out from the newest values within its window, says what is missing, and never counts an old part.
func TestNEWS2(t *testing.T) {
	t.Parallel()
	r := Rule{Series: NEWS2, Above: fixed(4), Parts: &Parts{Within: 12 * time.Hour}, Severity: "urgent"}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	at := func(h int, series string, v float64) Sample {
		return Sample{Series: series, At: start.Add(time.Duration(h) * time.Hour), Value: v}
	}
	got := r.Replay([]Sample{
		at(0, "9279-1", 22),   // 2
		at(1, "8867-4", 115),  // 2: four so far
		at(2, "2339-0", 300),  // no part
		at(3, "2708-6", 93),   // 2, by the other code: six
		at(4, "8310-5", 99.5), // °F, 37.5 °C: nothing more, the episode goes on
		at(15, "8867-4", 80),  // breathing is too old to count: 0 + 0, and SpO2's 2 is 12 hours old: counts
		at(16, "8480-6", 85),  // 3, SpO2 is too old now
		at(17, "8867-4", 135), // 3: six, a new episode
	})
	if len(got) != 2 || got[0].Value != 6 || got[0].Limit != 4 || got[0].Missing != "oxygen systolic consciousness temperature" || !got[0].At.Equal(start.Add(3*time.Hour)) ||
		got[1].Value != 6 || got[1].Missing != "respirations spo2 oxygen consciousness temperature" {
		t.Errorf("%+v", got)
	}
	// The state goes through the database between samples: the same episodes.
	var s State
	var again []Episode
	for _, x := range []Sample{at(0, "9279-1", 22), at(1, "8867-4", 115), at(3, "59408-5", 93)} {
		b, err := s.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		var back State
		if err := back.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if e, ok := back.Step(&r, x.Series, x.At, x.Value); ok {
			again = append(again, e)
		}
		s = back
	}
	if len(again) != 1 || again[0] != got[0] {
		t.Errorf("%+v", again)
	}
	for name, bad := range map[string]Rule{
		"no parts":        {Series: NEWS2, Above: fixed(4), Severity: "urgent"},
		"parts of none":   {Series: weight, Above: fixed(4), Parts: &Parts{Within: time.Hour}, Severity: "urgent"},
		"no window":       {Series: NEWS2, Above: fixed(4), Parts: &Parts{}, Severity: "urgent"},
		"its own past":    {Series: NEWS2, Above: Limit{Kind: Personal, Value: 2}, Parts: &Parts{Within: time.Hour}, Severity: "urgent"},
		"its own silence": {Series: NEWS2, Above: fixed(4), Missing: time.Hour, Parts: &Parts{Within: time.Hour}, Severity: "urgent"},
	} {
		if bad.Validate() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
