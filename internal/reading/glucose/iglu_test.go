package glucose

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorstep/internal/sharedtest"
)

// sample opens a file of the sample data; the test is skipped without it.
func sample(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "data/devices/cgm/"+name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func rows(t *testing.T, name string) [][]string {
	t.Helper()
	all, err := csv.NewReader(sample(t, name)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	if s == "NA" {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func same(a, b, tolerance float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance
}

func subjects(t *testing.T) map[string][]Reading {
	t.Helper()
	people, err := Read(sample(t, "iglu_example_data_5_subject.csv"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]Reading{}
	for _, p := range people {
		out[p.ID] = p.Readings
	}
	return out
}

// TestIglu compares with what iglu 4.3.0 answers for its five subjects, to the ten digits of the table.
func TestIglu(t *testing.T) {
	t.Parallel()
	people := subjects(t)
	all := rows(t, "iglu_expected_5_subject.csv")
	column := map[string]int{}
	for i, name := range all[0] {
		column[name] = i
	}
	for _, row := range all[1:] {
		s := Summarize(people[row[0]])
		for name, got := range map[string]float64{"active_percent": s.Active, "mean": s.Mean, "SD": s.SD, "GMI": s.GMI, "CV": s.CV, "below_54": s.TBR54,
			"below_70": s.TBR70, "in_range_70_180": s.TIR, "above_180": s.TAR180, "above_250": s.TAR250, "GRI": s.GRI, "MAGE": s.MAGE} {
			if want := number(t, row[column[name]]); !same(got, want, 1e-7) {
				t.Errorf("%s: %s is %v, want %v", row[0], name, got, want)
			}
		}
		if got := strconv.FormatFloat(s.Days, 'f', 1, 64); got != strings.TrimSpace(row[column["ndays"]]) {
			t.Errorf("%s: %s days, want %s", row[0], got, row[column["ndays"]])
		}
	}
}

func TestIgluEpisodes(t *testing.T) {
	t.Parallel()
	people := subjects(t)
	for _, row := range rows(t, "iglu_expected_episodes_5_subject.csv")[1:] {
		byKind, days := Episodes(people[row[0]])
		list := byKind[Kind(row[1]+" "+row[2])]
		n, minutes, mgDL := float64(len(list)), 0.0, 0.0
		for _, e := range list {
			minutes += e.Minutes / n
			mgDL += e.Mean / n
		}
		if n == 0 {
			mgDL = math.NaN()
		}
		if n != number(t, row[6]) || !same(n/days, number(t, row[3]), 1e-9) || !same(minutes, number(t, row[4]), 1e-9) || !same(mgDL, number(t, row[5]), 1e-9) {
			t.Errorf("%v: %v episodes, %v a day, %v min, %v mg/dL", row, n, n/days, minutes, mgDL)
		}
	}
}

func TestIgluAGP(t *testing.T) {
	t.Parallel()
	p := AGP(subjects(t)["Subject 1"], 5*time.Minute, 14)
	for i, row := range rows(t, "iglu_expected_agp_curves_subject1.csv")[1:] {
		at := p.Points[i]
		if at.AfterMidnight.Minutes() != number(t, row[0]) {
			t.Fatalf("%v: %v", row, at)
		}
		for k, got := range at.Q {
			if !same(got, number(t, row[k+1]), 6e-7) {
				t.Errorf("%v: %v", row, at)
			}
		}
	}
}
