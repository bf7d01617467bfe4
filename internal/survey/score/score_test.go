package score

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"doorstep/internal/sharedtest"
)

func same(a, b, tolerance float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance
}

// vectors reads a file of the published vectors; the test is skipped without it.
func vectors(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(sharedtest.Path(t, "vectors/"+name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

// expected is a number, or NaN for null.
func expected(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

func TestPROMISVectors(t *testing.T) {
	t.Parallel()
	var v struct {
		GPH, GMH map[string]float64
		GPHSE    map[string]float64 `json:"gph_se"`
		GMHSE    map[string]float64 `json:"gmh_se"`
		Cases    []struct {
			Name    string
			Answers Answers
			Expect  map[string]*float64
		}
	}
	vectors(t, "promis_global10.json", &v)
	for _, c := range v.Cases {
		g, err := PROMIS10(c.Answers)
		if err != nil {
			t.Error(c.Name, err)
		}
		for key, s := range map[string]Scale{"gph": g.Physical, "gmh": g.Mental} {
			raw := float64(s.Raw)
			if !s.Known {
				raw = math.NaN()
			}
			if !same(raw, expected(c.Expect[key+"_raw"]), 0) || !same(s.T, expected(c.Expect[key+"_t"]), 1e-9) {
				t.Errorf("%s: %s %+v, want %v", c.Name, key, s, c.Expect)
			}
		}
	}
	for i := range 17 {
		key := string(mustJSON(t, i+4))
		if physicalT[i] != v.GPH[key] || mentalT[i] != v.GMH[key] || physicalSE[i] != v.GPHSE[key] || mentalSE[i] != v.GMHSE[key] {
			t.Errorf("raw %s: the tables differ", key)
		}
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKCCQVectors(t *testing.T) {
	t.Parallel()
	var v struct {
		Cases []struct {
			Name    string
			Answers Answers
			Expect  map[string]*float64
		}
	}
	vectors(t, "kccq12.json", &v)
	for _, c := range v.Cases {
		k, err := KCCQ12(c.Answers)
		if err != nil {
			t.Error(c.Name, err)
		}
		for key, got := range map[string]float64{"PL": k.Physical, "SF": k.Symptoms, "QL": k.Quality, "SL": k.Social, "summary": k.Summary} {
			if !same(got, expected(c.Expect[key]), 5e-5) {
				t.Errorf("%s: %s is %v, want %v", c.Name, key, got, expected(c.Expect[key]))
			}
		}
	}
}

func TestCAHPSVectors(t *testing.T) {
	t.Parallel()
	var v struct {
		Cases []struct {
			Items  map[string]string
			Expect struct {
				TopBox    map[string]float64 `json:"item_top_box"`
				Composite float64            `json:"composite_equal_weight"`
				Linear    map[string]float64 `json:"item_linear"`
				LinearC   float64            `json:"composite_linear"`
			}
		}
		Rating struct {
			Answers []float64
			Top     float64 `json:"top_box_9_10"`
			Linear  float64
		}
	}
	vectors(t, "cahps.json", &v)
	for _, c := range v.Cases {
		got, err := CAHPS(c.Items)
		if err != nil || !same(got.TopBoxComposite, c.Expect.Composite, 5e-5) || !same(got.LinearComposite, c.Expect.LinearC, 5e-5) {
			t.Errorf("%+v %v, want %+v", got, err, c.Expect)
		}
		for name := range c.Items {
			if !same(got.TopBox[name], c.Expect.TopBox[name], 5e-5) || !same(got.Linear[name], c.Expect.Linear[name], 5e-5) {
				t.Errorf("%s: %+v, want %+v", name, got, c.Expect)
			}
		}
	}
	if top, linear, err := Rating(v.Rating.Answers); err != nil || top != v.Rating.Top || linear != v.Rating.Linear {
		t.Errorf("rating %v %v %v", top, linear, err)
	}
}

// TestTotals holds the bounds of the bands, worked by hand.
func TestTotals(t *testing.T) {
	t.Parallel()
	fill := func(items, sum int) Answers {
		a := Answers{}
		for i := range items {
			v := min(3, sum)
			sum -= v
			a[string(rune('1'+i))] = float64(v)
		}
		return a
	}
	for sum, want := range map[int]string{0: "none/minimal", 4: "none/minimal", 5: "mild", 9: "mild", 10: "moderate", 14: "moderate", 15: "moderately severe", 19: "moderately severe", 20: "severe", 27: "severe"} {
		if got, err := PHQ9(fill(9, sum)); err != nil || got.Sum != sum || got.Band != want || got.SelfHarm != (sum > 24) {
			t.Errorf("PHQ-9 %d: %+v %v", sum, got, err)
		}
	}
	for sum, want := range map[int]string{0: "minimal", 4: "minimal", 5: "mild", 9: "mild", 10: "moderate", 14: "moderate", 15: "severe", 21: "severe"} {
		if got, err := GAD7(fill(7, sum)); err != nil || got.Sum != sum || got.Band != want {
			t.Errorf("GAD-7 %d: %+v %v", sum, got, err)
		}
	}
	if got, err := PHQ9(Answers{"9": 1}); err != nil || got.Known || !got.SelfHarm || got.Band != "" {
		t.Errorf("item 9 alone: %+v %v", got, err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{second(PROMIS10(Answers{"g07": 11})), "item g07: 11 is not a whole number from 0 to 10"},
		{second(PROMIS10(Answers{"g01": 0})), "item g01: 0 is not a whole number from 1 to 5"},
		{second(KCCQ12(Answers{"2": 6})), "item 2: 6 is not a whole number from 1 to 5"},
		{second(KCCQ12(Answers{"1a": 7})), "item 1a: 7 is not a whole number from 1 to 6"},
		{second(PHQ9(Answers{"1": 1.5})), "item 1: 1.5 is not a whole number from 0 to 3"},
		{second(GAD7(Answers{"7": -1})), "item 7: -1 is not a whole number from 0 to 3"},
		{second(CAHPS(map[string]string{"x": "AX"})), "item x: 'X' is none of A, U, S, N"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("%v, want %s", c.err, c.want)
		}
	}
	if _, _, err := Rating([]float64{11}); err == nil {
		t.Error("a rating of 11")
	}
	if c, err := CAHPS(nil); err != nil || !math.IsNaN(c.TopBoxComposite) {
		t.Errorf("no item: %+v %v", c, err)
	}
	if c, err := CAHPS(map[string]string{"a": "AA", "b": ""}); err != nil || c.TopBoxComposite != 100 || !math.IsNaN(c.TopBox["b"]) {
		t.Errorf("an item that nobody answered: %+v %v", c, err)
	}
}

func second[T any](_ T, err error) error { return err }
