package apply_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/internal/fault"
	"doorstep/internal/medication/timing"
	"doorstep/internal/pathway/apply"
)

const patient = `{"resourceType":"Patient","id":"ruth","birthDate":"1948-03-02","gender":"female"}`

func plan(actions string) string {
	return `{"resourceType":"PlanDefinition","url":"https://doorstep.example/plan","version":"1","title":"Plan","status":"active","action":[` + actions + `]}`
}

const (
	call   = `{"resourceType":"ActivityDefinition","url":"https://doorstep.example/call","title":"Call from the nurse","kind":"ServiceRequest","code":{"text":"call","coding":[{"system":"s","code":"call"}]},"participant":[{"type":"practitioner"}],"dynamicValue":[{"path":"note.text","expression":{"language":"text/fhirpath","expression":"'born ' & %patient.birthDate.toString()"}}]}`
	weigh  = `{"resourceType":"ActivityDefinition","url":"https://doorstep.example/weigh","title":"Weigh yourself","kind":"Task","participant":[{"type":"patient"}]}`
	nested = `{"resourceType":"PlanDefinition","url":"https://doorstep.example/inner","version":"2","title":"Inner","action":[{"id":"w","definitionCanonical":"https://doorstep.example/weigh"}]}`
	phq    = `{"resourceType":"Questionnaire","url":"https://doorstep.example/phq","title":"How are you?"}`
)

func resolve(canonical string) (json.RawMessage, bool) {
	raw, ok := map[string]string{"https://doorstep.example/call": call, "https://doorstep.example/weigh": weigh, "https://doorstep.example/inner|2": nested, "https://doorstep.example/phq": phq,
		"https://doorstep.example/loop|1": strings.Replace(plan(`{"definitionCanonical":"https://doorstep.example/loop|1"}`), "/plan", "/loop", 1),
		"https://doorstep.example/odd":    `{"resourceType":"ActivityDefinition","kind":"Claim"}`}[canonical]
	return json.RawMessage(raw), ok
}

func input() apply.Input {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	start := time.Date(2026, 3, 6, 14, 0, 0, 0, zone)
	return apply.Input{Subject: json.RawMessage(patient), Episode: "e1", Start: start, Until: start.AddDate(0, 0, 30), Now: start, Person: timing.Person{Zone: zone, Routine: timing.DefaultRoutine}}
}

func applied(t *testing.T, actions string) (apply.Result, error) {
	t.Helper()
	p, err := apply.Load(json.RawMessage(plan(actions)), resolve)
	if err != nil {
		t.Fatal(err)
	}
	return p.Apply(input())
}

// line says an activity in a line.
func line(a apply.Activity) string {
	const at = "01-02T15:04"
	zone := input().Person.Zone
	return fmt.Sprintf("%s %s %q %s %s..%s", a.Action, a.Kind, a.Title, a.Performer, a.From.In(zone).Format(at), a.By.In(zone).Format(at))
}

func TestApply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, actions string
		want          []string
		skipped       string
	}{
		{"no timing is the first day", `{"id":"a","title":"Hello"}`, []string{`a Task "Hello"  03-06T14:00..03-07T00:00`}, ""},
		{"a definition", `{"id":"a","definitionCanonical":"https://doorstep.example/call"}`, []string{`a ServiceRequest "Call from the nurse" practitioner 03-06T14:00..03-07T00:00`}, ""},
		{"its title and performer set anew", `{"id":"a","title":"Dana calls","participant":[{"type":"patient"}],"definitionCanonical":"https://doorstep.example/call"}`,
			[]string{`a ServiceRequest "Dana calls" patient 03-06T14:00..03-07T00:00`}, ""},
		{"a questionnaire", `{"id":"q","definitionCanonical":"https://doorstep.example/phq"}`, []string{`q Task "How are you?"  03-06T14:00..03-07T00:00`}, ""},
		{"within so many days", `{"id":"a","title":"A","timingDuration":{"value":7,"code":"d"}}`, []string{`a Task "A"  03-06T14:00..03-14T00:00`}, ""},
		{"between two days, over the change of clocks", `{"id":"a","title":"A","timingRange":{"low":{"value":2,"code":"d"},"high":{"value":3,"code":"d"}}}`, []string{`a Task "A"  03-08T14:00..03-10T00:00`}, ""},
		{"a date", `{"id":"a","title":"A","timingDateTime":"2026-03-20"}`, []string{`a Task "A"  03-20T00:00..03-21T00:00`}, ""},
		{"a period", `{"id":"a","title":"A","timingPeriod":{"start":"2026-03-20","end":"2026-03-22"}}`, []string{`a Task "A"  03-20T00:00..03-23T00:00`}, ""},
		{"an age", `{"id":"a","title":"A","timingAge":{"value":78,"code":"a"}}`, []string{`a Task "A"  03-02T00:00..03-03T00:00`}, ""},
		{"two days after another", `{"id":"b","title":"B","relatedAction":[{"actionId":"a","relationship":"after-end","offsetDuration":{"value":2,"code":"d"}}]},{"id":"a","title":"A","timingDateTime":"2026-03-10"}`,
			[]string{`a Task "A"  03-10T00:00..03-11T00:00`, `b Task "B"  03-13T00:00..03-14T00:00`}, ""},
		{"from two to four days after its start", `{"id":"a","title":"A"},{"id":"b","title":"B","relatedAction":[{"actionId":"a","relationship":"after-start","offsetRange":{"low":{"value":2,"code":"d"},"high":{"value":4,"code":"d"}}}]}`,
			[]string{`a Task "A"  03-06T14:00..03-07T00:00`, `b Task "B"  03-08T14:00..03-10T14:00`}, ""},
		{"a day before", `{"id":"b","title":"B","relatedAction":[{"actionId":"a","relationship":"before-start","offsetDuration":{"value":1,"code":"d"}}]},{"id":"a","title":"A","timingDateTime":"2026-03-20T10:00:00-04:00"}`,
			[]string{`a Task "A"  03-20T10:00..03-20T10:00`, `b Task "B"  03-19T00:00..03-19T10:00`}, ""},
		{"at the same time", `{"id":"b","title":"B","relatedAction":[{"actionId":"a","relationship":"concurrent"}]},{"id":"a","title":"A","timingDateTime":"2026-03-20"}`,
			[]string{`a Task "A"  03-20T00:00..03-21T00:00`, `b Task "B"  03-20T00:00..03-21T00:00`}, ""},
		{"every morning for three days", `{"id":"a","definitionCanonical":"https://doorstep.example/weigh","timingTiming":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","timeOfDay":["08:00:00"],"boundsDuration":{"value":3,"unit":"d","system":"http://unitsofmeasure.org","code":"d"}}}}`,
			[]string{`a Task "Weigh yourself" patient 03-07T08:00..03-08T00:00`, `a Task "Weigh yourself" patient 03-08T08:00..03-09T00:00`}, ""},
		{"a condition", `{"id":"a","title":"A","condition":[{"kind":"applicability","expression":{"language":"text/fhirpath","expression":"%patient.gender = 'male'"}}]},{"id":"b","title":"B"}`,
			[]string{`b Task "B"  03-06T14:00..03-07T00:00`}, "a: its condition does not hold"},
		{"an age as a condition", `{"id":"a","title":"A","condition":[{"kind":"applicability","expression":{"language":"text/fhirpath","expression":"%patient.birthDate <= today() - 65 years"}}]}`,
			[]string{`a Task "A"  03-06T14:00..03-07T00:00`}, ""},
		{"a condition of a group, and what waits for a skipped one", `{"id":"g","title":"G","condition":[{"kind":"applicability","expression":{"language":"text/fhirpath","expression":"false"}}],"action":[{"id":"x","title":"X"}]},{"id":"b","title":"B","relatedAction":[{"actionId":"x","relationship":"after"}]}`,
			[]string{`b Task "B"  03-06T14:00..03-07T00:00`}, "g: its condition does not hold"},
		{"exactly one of a group", `{"id":"g","title":"G","selectionBehavior":"exactly-one","action":[{"id":"x","title":"X","condition":[{"kind":"applicability","expression":{"language":"text/fhirpath","expression":"false"}}]},{"id":"y","title":"Y"},{"id":"z","title":"Z"}]}`,
			[]string{`g/y Task "Y"  03-06T14:00..03-07T00:00`}, "g/x: its condition does not hold; g/z: another of its group is done"},
		{"a plan within, later", `{"id":"n","timingDateTime":"2026-03-20","definitionCanonical":"https://doorstep.example/inner|2"}`, []string{`n/w Task "Weigh yourself" patient 03-20T00:00..03-21T00:00`}, ""},
		{"without ids", `{"title":"A"},{"title":"B"}`, []string{`1 Task "A"  03-06T14:00..03-07T00:00`, `2 Task "B"  03-06T14:00..03-07T00:00`}, ""},
	} {
		r, err := applied(t, c.actions)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got, skipped []string
		for _, a := range r.Activities {
			got = append(got, line(a))
		}
		for _, s := range r.Skipped {
			skipped = append(skipped, s.Action+": "+s.Why)
		}
		if !reflect.DeepEqual(got, c.want) || strings.Join(skipped, "; ") != c.skipped {
			t.Errorf("%s:\n%s\nskipped %v\nwant\n%s\nskipped %s", c.name, strings.Join(got, "\n"), skipped, strings.Join(c.want, "\n"), c.skipped)
		}
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	r, err := applied(t, `{"id":"a","definitionCanonical":"https://doorstep.example/call","dynamicValue":[{"path":"code.coding[0].display","expression":{"language":"text/fhirpath","expression":"'Call'"}},{"path":"priority","expression":{"language":"text/fhirpath","expression":"iif(%patient.gender = 'female', 'urgent', 'routine')"}},{"path":"patientInstruction","expression":{"language":"text/fhirpath","expression":"{}"}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		ResourceType, Status, Intent, Priority string
		PatientInstruction                     *string
		InstantiatesCanonical                  []string
		Subject                                struct{ Reference string }
		Code                                   struct {
			Text   string
			Coding []struct{ System, Code, Display string }
		}
		Note []struct{ Text string }
	}
	if err := json.Unmarshal(r.Requests[0].Body, &s); err != nil {
		t.Fatal(err)
	}
	if s.ResourceType != "ServiceRequest" || s.Status != "active" || s.Intent != "plan" || s.Priority != "urgent" || s.Subject.Reference != "Patient/ruth" || s.PatientInstruction != nil ||
		len(s.Code.Coding) != 1 || s.Code.Coding[0].Display != "Call" || s.Code.Coding[0].Code != "call" || len(s.Note) != 1 || s.Note[0].Text != "born 1948-03-02" || len(s.InstantiatesCanonical) != 1 {
		t.Errorf("%s", r.Requests[0].Body)
	}
	var plan struct {
		InstantiatesCanonical []string
		Activity              []struct{ Reference struct{ Reference string } }
	}
	if err := json.Unmarshal(r.CarePlan.Body, &plan); err != nil || len(plan.Activity) != 1 || plan.Activity[0].Reference.Reference != "ServiceRequest/"+r.Requests[0].ID || plan.InstantiatesCanonical[0] != "https://doorstep.example/plan|1" {
		t.Errorf("%s %v", r.CarePlan.Body, err)
	}
}

// Any plan loads, or says why not, naming the element.
func TestPlansThatAreNot(t *testing.T) {
	t.Parallel()
	ask := func(language, text string) string {
		return `{"id":"a","condition":[{"kind":"applicability","expression":{"language":"` + language + `","expression":"` + text + `"}}]}`
	}
	for _, c := range []struct{ name, text, want string }{
		{"no JSON", "{", "this is no PlanDefinition"},
		{"another resource", `{"resourceType":"Patient"}`, `this is a "Patient" (want PlanDefinition)`},
		{"no version", strings.Replace(plan(`{"title":"A"}`), `"version":"1",`, "", 1), "PlanDefinition.version is missing"},
		{"nothing to do", plan(""), "PlanDefinition.action is empty"},
		{"CQL", plan(ask("text/cql", "x")), `PlanDefinition.action[0].condition[0].expression.language is "text/cql": only text/fhirpath is followed, no CQL`},
		{"no FHIRPath", plan(ask("text/fhirpath", "1 +")), `PlanDefinition.action[0].condition[0].expression: the expression "1 +" cannot be read`},
		{"a definition that is not here", plan(`{"action":[{"definitionCanonical":"x|1"}]}`), `PlanDefinition.action[0].action[0].definitionCanonical is "x|1", which is not here: load it first`},
		{"a kind that is not followed", plan(`{"definitionCanonical":"https://doorstep.example/odd"}`), `ActivityDefinition.kind is "Claim", which is not followed`},
		{"a plan within itself", plan(`{"definitionCanonical":"https://doorstep.example/loop|1"}`), "lies within itself"},
		{"a map", plan(`{"transform":"m"}`), "maps are not followed"},
		{"after nothing", plan(`{"id":"a","relatedAction":[{"actionId":"b","relationship":"after"}]}`), `PlanDefinition.action[0].relatedAction[0].actionId is "b", which is no other action`},
		{"an odd relation", plan(`{"id":"a","relatedAction":[{"actionId":"b","relationship":"beside"}]},{"id":"b"}`), `relationship is "beside" (want one of before-start`},
		{"in a circle", plan(`{"id":"a","relatedAction":[{"actionId":"b","relationship":"after"}]},{"id":"b","relatedAction":[{"actionId":"a","relationship":"after"}]}`), "waits for itself by way of others"},
		{"half days", plan(`{"id":"a","timingDuration":{"value":1.5,"code":"d"}}`), "PlanDefinition.action[0].timingDuration is 1.5 d (want whole ones)"},
		{"fortnights", plan(`{"id":"a","timingDuration":{"value":1,"code":"fortnight"}}`), `is in "fortnight"`},
		{"no date", plan(`{"id":"a","timingDateTime":"2026-02-30"}`), "PlanDefinition.action[0].timingDateTime"},
		{"an id twice", plan(`{"id":"a"},{"id":"a"}`), `PlanDefinition.action[1].id is "a", as another action's`},
		{"a path that is none", plan(`{"id":"a","dynamicValue":[{"path":"a b","expression":{"language":"text/fhirpath","expression":"1"}}]}`), "dynamicValue[0].path"},
		{"an odd timing", plan(`{"id":"a","timingTiming":{"repeat":{"frequency":1,"period":1,"periodUnit":"q"}}}`), "PlanDefinition.action[0].timingTiming"},
	} {
		p, err := apply.Load(json.RawMessage(c.text), resolve)
		if p != nil || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for name, actions := range map[string]string{
		"no single true or false": ask("text/fhirpath", "%patient.id"),
		"none applies":            `{"id":"g","selectionBehavior":"exactly-one","action":[` + ask("text/fhirpath", "false") + `]}`,
		"change resourceType":     `{"id":"a","dynamicValue":[{"path":"resourceType","expression":{"language":"text/fhirpath","expression":"'Patient'"}}]}`,
	} {
		if _, err := applied(t, actions); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Applying again gives the same activities with the same ids; another episode or version gives others.
func TestApplyingAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var actions []string
		n := rapid.IntRange(1, 6).Draw(r, "actions")
		for i := range n {
			related := ""
			if i > 0 && rapid.Bool().Draw(r, "related") {
				related = fmt.Sprintf(`,"relatedAction":[{"actionId":"a%d","relationship":"%s","offsetDuration":{"value":%d,"code":"d"}}]`, rapid.IntRange(0, i-1).Draw(r, "to"),
					rapid.SampledFrom([]string{"after", "after-end", "after-start", "concurrent"}).Draw(r, "how"), rapid.IntRange(0, 9).Draw(r, "days"))
			}
			actions = append(actions, fmt.Sprintf(`{"id":"a%d","title":"A"%s}`, i, related))
		}
		text := plan(strings.Join(actions, ","))
		p, err := apply.Load(json.RawMessage(text), resolve)
		if err != nil {
			r.Fatal(err)
		}
		in := input()
		first, err := p.Apply(in)
		if err != nil {
			r.Fatal(err)
		}
		again, _ := p.Apply(in)
		if !reflect.DeepEqual(first, again) || len(first.Activities) != n {
			r.Fatalf("%+v\n%+v", first, again)
		}
		in.Episode = "e2"
		other, _ := p.Apply(in)
		newer, err := apply.Load(json.RawMessage(strings.Replace(text, `"version":"1"`, `"version":"2"`, 1)), resolve)
		if err != nil {
			r.Fatal(err)
		}
		later, _ := newer.Apply(input())
		ids := map[string]bool{}
		for _, res := range []apply.Result{first, other, later} {
			for _, a := range res.Activities {
				if ids[a.ID] || a.By.Before(a.From) {
					r.Fatalf("%+v", a)
				}
				ids[a.ID] = true
			}
		}
	})
}

// Whatever a definition says, it loads and is applied, or is refused in words.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(plan(`{"id":"a","definitionCanonical":"https://doorstep.example/call","timingTiming":{"repeat":{"frequency":1,"period":1,"periodUnit":"d"}}}`)))
	f.Add([]byte(plan(`{"id":"a","timingRange":{"low":{"value":1,"code":"mo"},"high":{"value":2,"code":"a"}},"dynamicValue":[{"path":"note[2].text","expression":{"language":"text/fhirpath","expression":"'x'"}}]}`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := apply.Load(b, resolve)
		if err == nil {
			_, err = p.Apply(input())
		}
		if err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooMuch) {
			t.Error(err)
		}
	})
}
