package message_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"doorstep/internal/message"
)

func TestParseReply(t *testing.T) {
	t.Parallel()
	choice := func(code string, n int) message.Reply {
		return message.Reply{Word: message.Choice, Code: code, Number: n}
	}
	word := func(w message.Word) message.Reply { return message.Reply{Word: w} }
	for _, c := range []struct {
		want   message.Reply
		bodies []string
	}{
		{choice("A", 1), []string{"A1", "a1", " a 1 ", "A-1", "A1.", "A, 1", "A yes", "a: sí", "A SI", "A TAKEN", "A took them"}},
		{choice("B", 2), []string{"b2", "B no", "B not today", "B: hoy no"}},
		{choice("", 1), []string{"1", " 1. ", "(1)", "1!"}},
		{choice("", 9), []string{"9"}},
		{word(message.Yes), []string{"YES", "yes.", "Sí", "si", "Si\u0301", "I took them!", "ok", "Hecho", "Las tomé", "Y"}},
		{word(message.No), []string{"no", "NO!", "not today", "hoy no", "skip"}},
		{word(message.Stop), []string{"STOP", "stop.", "STOPALL", "unsubscribe", "Alto", "PARAR", "Basta!", "baja", "quit", "END", "cancel"}},
		{word(message.Start), []string{"START", "unstop", "Empezar", "alta"}},
		{word(message.HelpMe), []string{"help", "HELP?", "Ayuda", "info"}},
		// Anything that is not plainly an answer is for a person to read.
		{word(message.Free), []string{"", "   ", "0", "A0", "12", "A12", "AA1", "1 2", "yes but I felt dizzy", "stop texting me at night", "I took 1", "да", "１",
			"can you help me", "no sé", strings.Repeat("yes ", 20), "\xff\xfe", "A 1 please", "👍"}},
	} {
		for _, body := range c.bodies {
			if got := message.ParseReply(body); got != c.want {
				t.Errorf("%q is %+v, want %+v", body, got, c.want)
			}
		}
	}
}

func FuzzParseReply(f *testing.F) {
	for _, s := range []string{"A1", "yes", "Sí", "STOP", "alto", "", "\xff", "a: hoy no", "ﬁ1", "ı1", "ß"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got := message.ParseReply(body)
		if got.Word == message.Choice && (got.Number < 1 || got.Number > 9 || len(got.Code) > 1) || got.Word != message.Choice && got != (message.Reply{Word: got.Word}) {
			t.Fatalf("%q: %+v", body, got)
		}
		if !utf8.ValidString(body) {
			return
		}
		// Case does not matter, for letters whose cases are one to one.
		if up := strings.ToUpper(body); strings.EqualFold(up, body) {
			if other := message.ParseReply(up); other != got {
				t.Fatalf("%q is %+v, in capitals %+v", body, got, other)
			}
		}
	})
}
