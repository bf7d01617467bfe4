package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"doorstep/internal/conversation"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

func TestInbox(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	ruth, dana, omar := h.session(h.ruth), h.session(h.dana), h.session(h.omar)
	if answer, _ := h.post(ruth, "/messages", "body", "How much salt?"); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("ask: %d", answer.StatusCode)
	}
	_, page := h.get(dana, "/desk/inbox")
	for _, want := range []string{"Ruth Abbott", "How much salt?", "No one holds it yet", "I take it", "Hand it over"} {
		if !strings.Contains(page, want) {
			t.Errorf("the inbox does not say %q", want)
		}
	}
	if answer, _ := h.get(ruth, "/desk/inbox"); answer.StatusCode == http.StatusOK {
		t.Error("a patient sees the inbox")
	}
	address := "/desk/inbox/" + string(h.ruth.ID) + "/" + between(t, page, `action="/desk/inbox/`+string(h.ruth.ID)+"/", "/")
	if answer, _ := h.post(dana, address+"/take"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("take: %d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/messages"); !strings.Contains(page, "Dana has your question.") {
		t.Error("she does not read who has her question")
	}
	if answer, _ := h.post(omar, address+"/take"); answer.StatusCode != http.StatusConflict {
		t.Errorf("taken from another: %d", answer.StatusCode)
	}
	if answer, page := h.post(dana, address+"/hand", "to", string(h.omar.ID), "note", ""); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "so that nobody must ask") {
		t.Errorf("without a word: %d", answer.StatusCode)
	}
	h.post(dana, address+"/hand", "to", string(h.omar.ID), "note", "She cooks with soup powder.")
	if _, page := h.get(omar, "/desk/inbox"); !strings.Contains(page, "She cooks with soup powder.") || !strings.Contains(page, "Yes, I take it over") {
		t.Error("the colleague does not read what she has to know")
	}
	if answer, _ := h.post(omar, address+"/accept"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("accept: %d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/messages"); !strings.Contains(page, "Omar has your question.") {
		t.Error("she does not read who has her question now")
	}
	for name, form := range map[string][]string{"a rule": {"/desk/inbox/rules", "id", "", "name", "Feet", "words", "swollen feet\nankles", "role", "nurse", "minutes", "60"},
		"an answer": {"/desk/inbox/templates", "name", "Salt", "en", "Less than 2 g.", "es", "Menos de 2 g."}} {
		if answer, _ := h.post(omar, form[0], form[1:]...); answer.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: %d", name, answer.StatusCode)
		}
	}
	if answer, page := h.post(omar, "/desk/inbox/rules", "name", "X", "words", "y", "role", "nurse", "minutes", "soon"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "problem") {
		t.Errorf("a wrong rule: %d", answer.StatusCode)
	}
	// It stands ready on the person's page, in her language.
	_, page = h.get(omar, "/desk/people/"+string(h.luis.ID))
	ready := between(t, page, "?ready=", "#body")
	if _, page := h.get(omar, "/desk/people/"+string(h.luis.ID)+"?ready="+ready); !strings.Contains(page, ">Menos de 2 g.</textarea>") {
		t.Error("the ready answer is not in the form")
	}
	// She calls; a nurse calls back from her page, and that keeps it.
	if _, err := h.Conversation.Called(context.Background(), conversation.Call{Org: h.org, From: "+15550100001", Ref: "c1"}); err != nil {
		t.Fatal(err)
	}
	chart := "/desk/people/" + string(h.ruth.ID)
	h.post(dana, chart+"/call")
	_, page = h.get(dana, chart)
	call := between(t, page, `action="`+chart+"/call/", "/")
	h.clock.Advance(3 * 60 * 1e9)
	if answer, _ := h.post(dana, chart+"/call/"+call+"/end", "live", "yes"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("end: %d", answer.StatusCode)
	}
	h.must(h.DB.Read(context.Background(), func(tx *store.Tx) error {
		list, err := h.Conversation.Of(tx, h.org, h.ruth.ID)
		for _, c := range list {
			if c.Kind == "call" && (c.Answered.IsZero() || c.Owner != person.ID(h.dana.ID)) {
				t.Errorf("the call back is %+v", c)
			}
		}
		return err
	}))
}
