package conversation_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/conversation"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

func viewer(p person.Person) person.Viewer {
	return person.Viewer{Org: p.Org, Person: p.ID, Role: p.Role, Name: p.Name}
}

func post(h *apptest.House, p person.Person, body string) {
	h.Helper()
	if err := h.Conversations.Post(h.Context(), viewer(p), h.Ruth.ID, body); err != nil {
		h.Fatal(err)
	}
	h.Settle()
}

func last(h *apptest.House) (c conversation.Conversation) {
	h.Helper()
	h.Read(func(tx *store.Tx) error {
		list, err := h.Conversations.Of(tx, apptest.Org, h.Ruth.ID)
		if len(list) > 0 {
			c = list[0]
		}
		return err
	})
	return c
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"I have CHEST  pain since noon":            "red",
		"my chest-pain is back":                    "red",
		"Me duele el pecho":                        "red",
		"no puedo respirar bien":                   "red",
		"I cant breathe":                           "red",
		"can I get a refill? also I fainted":       "red",
		"Please send the prescription":             "refill",
		"quiero cambiar la hora":                   "visit",
		"¿Tiene mi receta?":                        "refill",
		"The stroked cat sleeps":                   "", // a word within another is none
		"How are you?":                             "",
		"":                                         "",
		"Me recetaron otra cosa, ¿está bien eso?":  "",
		"can I move my appointment to the evening": "visit",
	} {
		if got := conversation.Choose(conversation.Usual, body); got.ID != want {
			t.Errorf("%q goes to %q, want %q", body, got.ID, want)
		}
	}
}

func TestRedFlagsGoToAPersonAtOnce(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		post(h, h.Ruth, "When do I come again?")
		if c := last(h); c.Red || !c.By.Equal(h.Clock.Now().Add(4*time.Hour)) {
			h.Errorf("an everyday question: %+v", c)
		}
		h.Clock.Advance(time.Minute)
		post(h, h.Ruth, "Now my chest hurts")
		c := last(h)
		if !c.Red || !c.By.Equal(h.Clock.Now().Add(10*time.Minute)) {
			h.Errorf("a red flag: %+v", c)
		}
		if got := h.Tasks(); !strings.HasPrefix(got, "nurse task.red") {
			h.Errorf("tasks %q", got)
		}
		h.Read(func(tx *store.Tx) error {
			open, err := h.Promises.OpenOf(tx, apptest.Org, h.Ruth.ID, conversation.Kind)
			if len(open) != 1 || open[0].Severity != promise.Severe {
				h.Errorf("open promises %+v", open)
			}
			return err
		})
		h.Clock.Advance(3 * time.Minute)
		post(h, h.Dana, "I am calling you now.")
		if c := last(h); c.Answered.IsZero() || c.Owner != h.Dana.ID {
			h.Errorf("answered: %+v", c)
		}
		// She writes again within the week: the same person holds it.
		h.Clock.Advance(24 * time.Hour)
		post(h, h.Ruth, "Thank you. What about salt?")
		if c := last(h); c.Owner != h.Dana.ID || !c.Answered.IsZero() {
			h.Errorf("the next word: %+v", c)
		}
		var m conversation.Measured
		h.Read(func(tx *store.Tx) (err error) {
			m, err = h.Conversations.Measure(tx, apptest.Org, apptest.Start, h.Clock.Now().Add(time.Hour))
			return err
		})
		if m.N != 2 || m.Answered != 1 || m.OnTime != 1 || m.Due != 1 || m.Median != 4 {
			h.Errorf("measured %+v", m)
		}
	})
}

func TestNoColdTransfer(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		post(h, h.Ruth, "A question")
		c := last(h)
		dana, omar := viewer(h.Dana), viewer(h.Omar)
		// Two take it in the same instant: one has it.
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, v := range []person.Viewer{dana, omar} {
			wg.Go(func() { errs[i] = h.Conversations.Take(h.Context(), v, h.Ruth.ID, c.ID) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			h.Fatalf("both or neither: %v", errs)
		}
		owner, next := dana, omar
		if errs[0] != nil {
			owner, next = omar, dana
		}
		hand := func(v person.Viewer, to person.ID, note string) error {
			return h.Conversations.HandOver(h.Context(), v, h.Ruth.ID, c.ID, to, note)
		}
		for name, err := range map[string]error{"by another": hand(next, owner.Person, "x"), "to the patient": hand(owner, h.Ruth.ID, "x"), "to oneself": hand(owner, owner.Person, "x"),
			"without a word": hand(owner, next.Person, "  "), "by the patient": hand(viewer(h.Ruth), next.Person, "x"),
			"not offered": h.Conversations.Accept(h.Context(), next, h.Ruth.ID, c.ID)} {
			if fault.KindOf(err) == fault.Internal {
				h.Errorf("%s: %v", name, err)
			}
		}
		if err := hand(owner, next.Person, "She asks about salt; I told her 2 g."); err != nil {
			h.Fatal(err)
		}
		if c := last(h); c.Owner != owner.Person || c.Offered != next.Person {
			h.Errorf("before a yes: %+v", c)
		}
		h.SMS.Took()
		if err := h.Conversations.Accept(h.Context(), next, h.Ruth.ID, c.ID); err != nil {
			h.Fatal(err)
		}
		h.Settle()
		if c := last(h); c.Owner != next.Person || c.Offered != "" || c.Handovers != 1 || c.Note == "" {
			h.Errorf("after it: %+v", c)
		}
		h.Want(h.SMS, apptest.RuthPhone+"…looks after your question now…has told")
	})
}

func TestACallBecomesAPlaceInTheQueue(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		call := conversation.Call{Org: apptest.Org, From: apptest.RuthPhone, Ref: "c1"}
		told, err := h.Conversations.Called(h.Context(), call)
		if err != nil || !told.Known || !told.By.Equal(apptest.Start.Add(time.Hour)) { // half past seven: the clinic opens at eight
			h.Fatalf("told %+v, %v", told, err)
		}
		h.Settle()
		if got := h.Tasks(); got != "desk task.callback" {
			h.Errorf("tasks %q", got)
		}
		h.Clock.Advance(45 * time.Minute)
		call.Ref = "c2"
		if again, err := h.Conversations.Called(h.Context(), call); err != nil || !again.By.Equal(told.By) {
			h.Errorf("she calls again: %+v, %v", again, err)
		}
		if urgent, err := h.Conversations.Pressing(h.Context(), call); err != nil || !urgent.By.Equal(h.Clock.Now().Add(10*time.Minute)) {
			h.Errorf("it cannot wait: %+v, %v", urgent, err)
		}
		h.Settle()
		if got := h.Tasks(); got != "nurse task.red" {
			h.Errorf("tasks %q", got)
		}
		h.Write(func(tx *store.Tx) error { return h.Conversations.Reached(tx, viewer(h.Dana), h.Ruth.ID, h.Clock.Now()) })
		if c := last(h); c.Answered.IsZero() || h.Tasks() != "" {
			h.Errorf("after the call: %+v, %q", c, h.Tasks())
		}
		// A number that nobody has, and one that two share: a person calls, nobody guesses.
		h.Contact(person.Contact{Person: h.Elena.ID, Channel: person.SMS, Address: "+15550109999", Consent: person.Given})
		h.Contact(person.Contact{Person: h.Ruth.ID, Channel: person.SMS, Address: "+15550109999", Consent: person.Given})
		for i, from := range []string{"+15550108888", "+15550109999"} {
			if told, err := h.Conversations.Called(h.Context(), conversation.Call{Org: apptest.Org, From: from, Ref: from}); err != nil || told.Known {
				h.Errorf("%d: %+v, %v", i, told, err)
			}
		}
		if got := h.Tasks(); got != "desk task.callback.unknown, desk task.callback.unknown" {
			h.Errorf("tasks %q", got)
		}
		if _, err := h.Conversations.Called(h.Context(), conversation.Call{Org: apptest.Org, From: "nobody", Ref: "x"}); !fault.Is(err, fault.Invalid) {
			h.Errorf("a wrong number: %v", err)
		}
	})
}

func TestRoutesAndTemplates(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		h.Write(func(tx *store.Tx) error {
			omar := viewer(h.Omar)
			if err := h.Conversations.SaveRoute(tx, viewer(h.Ruth), conversation.Usual[1]); !fault.Is(err, fault.Denied) {
				t.Errorf("by a patient: %v", err)
			}
			for _, r := range []conversation.Route{{ID: "x"}, {ID: "x", Name: "X", Words: []string{"?!"}, Role: person.Nurse, Minutes: 60}, {ID: "x", Name: "X", Words: []string{"a"}, Role: person.Leader, Minutes: 60},
				{ID: "x", Name: "X", Words: []string{"a"}, Role: person.Nurse, Minutes: 1}} {
				if err := h.Conversations.SaveRoute(tx, omar, r); !fault.Is(err, fault.Invalid) {
					t.Errorf("%+v: %v", r, err)
				}
			}
			if err := h.Conversations.SaveRoute(tx, omar, conversation.Route{ID: "red", Name: "At once", Words: []string{"blue lips"}, Role: person.Desk, Minutes: 600}); err != nil {
				return err
			}
			routes, err := h.Conversations.Routes(tx, apptest.Org)
			if got := conversation.Choose(routes, "She has blue lips"); !got.Red || got.Minutes != 10 || got.Role != person.Nurse || len(routes) != 3 {
				t.Errorf("%+v of %d", got, len(routes))
			}
			if err != nil {
				return err
			}
			if err := h.Conversations.SaveTemplate(tx, omar, conversation.Template{Name: "Salt", Text: map[string]string{"en": "Less than 2 g."}}); !fault.Is(err, fault.Invalid) {
				t.Errorf("one language: %v", err)
			}
			return h.Conversations.SaveTemplate(tx, omar, conversation.Template{Name: "Salt", Text: map[string]string{"en": "Less than 2 g.", "es": "Menos de 2 g."}})
		})
		h.Read(func(tx *store.Tx) error {
			list, err := h.Conversations.Templates(tx, apptest.Org)
			if len(list) != 1 || list[0].Text["es"] != "Menos de 2 g." {
				t.Errorf("%+v", list)
			}
			return err
		})
	})
}

// A word that was not kept in time holds nothing back: the next red flag calls somebody again.
func TestABrokenPromiseDoesNotSwallowTheNextWord(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		post(h, h.Ruth, "Now my chest hurts")
		h.At(2 * time.Hour)
		post(h, h.Ruth, "I cannot breathe")
		if c := last(h); !c.Red || !c.By.Equal(h.Clock.Now().Add(10*time.Minute)) {
			h.Errorf("the next red flag: %+v", c)
		}
		h.Read(func(tx *store.Tx) error {
			open, err := h.Promises.OpenOf(tx, apptest.Org, h.Ruth.ID, conversation.Kind)
			if len(open) != 1 {
				h.Errorf("%d open promises", len(open))
			}
			return err
		})
	})
}
