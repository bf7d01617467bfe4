package path_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/fhir/path"
)

const ruth = `{"resourceType":"Patient","id":"ruth","birthDate":"1948-03-02","gender":"female","name":[{"family":"Lee","given":["Ruth"]}],"multipleBirthInteger":2}`

func TestEval(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", -5*3600)
	env := path.Env{Now: time.Date(2026, 3, 2, 23, 30, 0, 0, zone), Vars: map[string]json.RawMessage{
		"patient": json.RawMessage(ruth), "list": json.RawMessage(`[{"a":1},{"a":2}]`), "word": json.RawMessage(`"x"`)}}
	for text, want := range map[string]string{
		"Patient.gender = 'female'":         `true`,
		"%patient.birthDate":                `"1948-03-02"`,
		"today()":                           `"2026-03-02"`,
		"today() + 3 days":                  `"2026-03-05"`,
		"'today()' & ' ' & name.family":     `"today() Lee"`,
		"birthDate <= today() - 78 years":   `true`,
		"%list.a.sum()":                     `3`,
		"%list.where(a > 1).a":              `2`,
		"name":                              `{"family":"Lee","given":["Ruth"]}`,
		"name.given | name.family":          `"Ruth" "Lee"`,
		"multipleBirth / 4":                 `0.5`,
		"name.period":                       ``,
		"%word":                             `"x"`,
		"iif(gender = 'male', 'he', 'she')": `"she"`,
		"'Observation/' + id":               `"Observation/ruth"`,
	} {
		e, err := path.Compile(text)
		if err != nil {
			t.Error(err)
			continue
		}
		list, err := e.Eval(json.RawMessage(ruth), env)
		var got []string
		for _, v := range list {
			got = append(got, string(v.JSON))
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %s %v, want %s", text, got, err, want)
		}
	}
	e, err := path.Compile("now()")
	if err != nil {
		t.Fatal(err)
	}
	if list, err := e.Eval(json.RawMessage(ruth), env); err != nil || len(list) != 1 || !strings.HasPrefix(string(list[0].JSON), `"2026-03-02T23:30:00`) {
		t.Errorf("now: %s %v", list, err)
	}
}

func TestExpressionsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1 +", "", "name[", strings.Repeat("(", 9000)} {
		if _, err := path.Compile(text); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for text, want := range map[string]string{"%nobody": "cannot be evaluated", "name.given | name.family": "no single true or false", "id": "no single true or false"} {
		e, err := path.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.True(json.RawMessage(ruth), path.Env{}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	e, _ := path.Compile("name.period.exists() and false")
	if ok, err := e.True(json.RawMessage(ruth), path.Env{}); ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
}

// Whatever an expression says, it is read or refused, and the server goes on.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{"name.given.first()", "today() + 1 'd'", "iif(a, 'now()', %x)", "repeat(item).answer.value"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := path.Compile(text)
		if err != nil {
			return
		}
		if _, err := e.Eval(json.RawMessage(ruth), path.Env{Now: time.Unix(0, 0).UTC()}); err != nil && !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	})
}
