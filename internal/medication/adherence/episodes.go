package adherence

import "doorstep/internal/clock"

// Episode is a stretch of treatment without a gap that is too long.
type Episode struct {
	Start clock.Day
	End   clock.Day // the day after the last one with supply, or follow-up's end
	Days  float64   // from Start to End
	Gap   float64   // days without supply after it; of the last, up to follow-up's end, even where the episode lasts to it
}

// EpisodeOptions say what ends an episode.
type EpisodeOptions struct {
	Options
	MaxGap         float64 // longest gap in days that an episode bears
	CategoryChange bool    // whether a fill of another category begins a new one
}

// Episodes answers a person's treatment episodes over follow-up; Options.Start and Length are not looked at. An episode
// ends where its supply ended; only the last may end without supply, at follow-up's end, when the gap before that is shorter than
// MaxGap. Dima & Dediu (2017), Treatment episodes.
func Episodes(fills []Fill, o EpisodeOptions) []Episode {
	o.Start, o.Length = 0, 0
	end, _, _ := o.window()
	s := line(fills, end)
	if len(s) == 0 {
		return nil
	}
	first := Origin(fills)
	var out []Episode
	add := func(start, gap, days float64) {
		from := first.Add(int(start))
		out = append(out, Episode{Start: from, End: from.Add(int(days)), Days: days, Gap: gap})
	}
	x := intervals(s, end, true, o.Options)
	start := s[0].at
	for i := range s[:len(s)-1] {
		if x[i].gap > o.MaxGap || o.CategoryChange && s[i].category != s[i+1].category {
			add(start, x[i].gap, s[i+1].at-start-x[i].gap)
			start = s[i+1].at
		}
	}
	gap := x[len(x)-1].gap
	days := end - start
	if gap >= o.MaxGap {
		days -= gap
	}
	add(start, gap, days)
	return out
}
