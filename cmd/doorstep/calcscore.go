package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"doorstep/internal/survey/score"
	"doorstep/internal/table"
)

type calcScoreCmd struct {
	File       string `arg:"" help:"JSON: a case {\"answers\":{…}}, or {\"cases\":[…]}." type:"path"`
	Instrument string `help:"promis10, phq9, gad7, kccq12 or cahps." required:"" enum:"promis10,phq9,gad7,kccq12,cahps"`
	JSON       bool   `help:"Print a JSON object per case."`
}

// scoreCase is one person's answers; of cahps also everybody's.
type scoreCase struct {
	Name    string            `json:"name"`
	Answers json.RawMessage   `json:"answers"`
	Items   map[string]string `json:"items"`
}

func (c calcScoreCmd) Run(e *env) error {
	return calculate(e, c.File, func(r io.Reader, out *bufio.Writer) error {
		cases, err := readCases(r)
		if err != nil {
			return err
		}
		var line object
		for i, k := range cases {
			if err := c.score(k, &line); err != nil {
				return fmt.Errorf("case %d %s: %w", i+1, k.Name, err)
			}
			if c.JSON {
				if err := line.end(out); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(out, "%-24s %s\n", k.Name, strings.NewReplacer(`"`, "", "{", "", "}", "", ",", "  ", ":", " ", "null", "-").Replace(string(line.b)))
			line.b = line.b[:0]
		}
		return nil
	})
}

// readCases reads one case or a file of them. What is no JSON is refused with its line.
func readCases(r io.Reader) ([]scoreCase, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var all struct {
		scoreCase
		Cases []scoreCase `json:"cases"`
	}
	err = json.Unmarshal(b, &all)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return nil, &table.Error{Line: lineAt(b, syntax.Offset), Reason: syntax.Error()}
	case errors.As(err, &kind):
		return nil, &table.Error{Line: lineAt(b, kind.Offset), Reason: fmt.Sprintf("%s is a %s", kind.Field, kind.Value)}
	case err != nil:
		return nil, err
	case all.Cases != nil:
		return all.Cases, nil
	case all.Answers == nil && all.Items == nil:
		return nil, &table.Error{Line: 1, Reason: `neither "answers" nor "items" nor "cases" is there`}
	}
	return []scoreCase{all.scoreCase}, nil
}

func lineAt(b []byte, offset int64) int {
	return 1 + bytes.Count(b[:min(offset, int64(len(b)))], []byte{'\n'})
}

func (c calcScoreCmd) score(k scoreCase, line *object) error {
	if c.Instrument == "cahps" {
		return scoreCAHPS(k, line)
	}
	var given map[string]*float64
	if err := json.Unmarshal(k.Answers, &given); err != nil {
		return errors.New("answers must be numbers by item")
	}
	a := score.Answers{}
	for name, v := range given {
		if v != nil {
			a[name] = *v
		}
	}
	switch c.Instrument {
	case "promis10":
		g, err := score.PROMIS10(a)
		if err != nil {
			return err
		}
		for _, s := range []struct {
			name string
			score.Scale
		}{{"gph", g.Physical}, {"gmh", g.Mental}} {
			line.whole(s.name+"_raw", s.Raw, s.Known)
			line.number(s.name+"_t", s.T)
			line.number(s.name+"_se", s.SE)
		}
	case "kccq12":
		k, err := score.KCCQ12(a)
		if err != nil {
			return err
		}
		line.number("PL", k.Physical)
		line.number("SF", k.Symptoms)
		line.number("QL", k.Quality)
		line.number("SL", k.Social)
		line.number("summary", k.Summary)
	case "phq9":
		t, err := score.PHQ9(a)
		if err != nil {
			return err
		}
		line.total(t)
		harm := 0
		if t.SelfHarm {
			harm = 1
		}
		line.whole("item9", harm, true)
	case "gad7":
		t, err := score.GAD7(a)
		if err != nil {
			return err
		}
		line.total(t)
	}
	return nil
}

// total puts a sum and its band, null unless known.
func (o *object) total(t score.Total) {
	o.whole("total", t.Sum, t.Known)
	if t.Known {
		o.text("band", t.Band)
	} else {
		o.whole("band", 0, false)
	}
}

func scoreCAHPS(k scoreCase, line *object) error {
	if k.Items == nil {
		var answers []float64
		if err := json.Unmarshal(k.Answers, &answers); err != nil {
			return errors.New(`cahps wants "items" with letters, or "answers" with a list of ratings`)
		}
		top, linear, err := score.Rating(answers)
		if err != nil {
			return err
		}
		line.number("top_box_9_10", top)
		line.number("linear", linear)
		return nil
	}
	got, err := score.CAHPS(k.Items)
	if err != nil {
		return err
	}
	byItem := func(values map[string]float64) object {
		var o object
		for _, name := range slices.Sorted(maps.Keys(values)) {
			quoted, _ := json.Marshal(name) // a string always goes
			o.number(string(quoted[1:len(quoted)-1]), values[name])
		}
		return o
	}
	line.inner("item_top_box", byItem(got.TopBox))
	line.number("composite_equal_weight", got.TopBoxComposite)
	line.inner("item_linear", byItem(got.Linear))
	line.number("composite_linear", got.LinearComposite)
	return nil
}

// inner puts an object into the object.
func (o *object) inner(name string, v object) {
	o.key(name)
	if len(v.b) == 0 {
		v.b = []byte{'{'}
	}
	o.b = append(append(o.b, v.b...), '}')
}
