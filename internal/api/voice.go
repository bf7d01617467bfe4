package api

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/conversation"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/words"
)

// voiceRoutes are what a telephone provider asks (Twilio's form): somebody calls the clinic, somebody has picked up, a key was pressed.
// Each answer says what to speak.
func (s *server) voiceRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /hooks/voice/{org}", s.voice(s.rings))
	mux.HandleFunc("POST /hooks/voice/{org}/press", s.voice(s.pressing))
	mux.HandleFunc("POST /hooks/voice/{org}/say/{code}", s.voice(s.speaks))
	mux.HandleFunc("POST /hooks/voice/{org}/key/{code}", s.voice(s.key))
}

// spoken is an answer to the provider.
type spoken struct {
	message.Spoken
	key string // where a key that is pressed is told; empty: none is asked for
}

// voice is hook for calls.
func (s *server) voice(take func(r *http.Request, org person.OrgID) (spoken, error)) http.HandlerFunc {
	return s.hook(func(r *http.Request, org person.OrgID) (string, error) {
		out, err := take(r, org)
		return out.xml(), err
	})
}

// voices are the languages by the provider's names.
var voices = map[string]string{"en": "en-US", "es": "es-US"}

func (x spoken) xml() string {
	var b strings.Builder
	say := func() {
		b.WriteString(`<Say language="` + voices[x.Language] + `">`)
		xml.EscapeText(&b, []byte(x.Text))
		b.WriteString(`</Say>`)
	}
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><Response>`)
	if x.key == "" {
		say()
	} else { // twice, so that it can be written down
		b.WriteString(`<Gather numDigits="1" timeout="8" action="`)
		xml.EscapeText(&b, []byte(x.key))
		b.WriteString(`">`)
		say()
		b.WriteString(`<Pause length="2"/>`)
		say()
		b.WriteString(`</Gather>`)
	}
	b.WriteString(`<Hangup/></Response>`)
	return b.String()
}

func callOf(r *http.Request, org person.OrgID) conversation.Call {
	return conversation.Call{Org: org, From: r.PostForm.Get("From"), Ref: r.PostForm.Get("CallSid")}
}

// rings takes a call to the clinic's number: nobody hears a busy signal or waits in a line.
func (s *server) rings(r *http.Request, org person.OrgID) (spoken, error) {
	if _, err := person.Phone(r.PostForm.Get("From")); err != nil { // a number that is kept back cannot be called
		return spoken{Spoken: message.Spoken{Language: "en", Text: words.Say("en", "voice.nonumber", nil) + " " + words.Say("es", "voice.nonumber", nil)}}, nil
	}
	told, err := s.Calls.Called(r.Context(), callOf(r, org))
	if err != nil {
		return spoken{}, err
	}
	out := s.told(told, "voice.callback")
	out.key = s.PublicURL + "/hooks/voice/" + string(org) + "/press"
	return out, nil
}

// pressing takes the key of a caller who says that it cannot wait.
func (s *server) pressing(r *http.Request, org person.OrgID) (spoken, error) {
	if r.PostForm.Get("Digits") != "1" {
		told, err := s.Calls.Called(r.Context(), callOf(r, org))
		return s.told(told, "voice.callback.plain"), err
	}
	told, err := s.Calls.Pressing(r.Context(), callOf(r, org))
	return s.told(told, "voice.callback.now"), err
}

func (s *server) told(t conversation.Told, key string) spoken {
	zone := t.Zone
	if zone == nil {
		zone = time.UTC
	}
	return spoken{Spoken: message.Spoken{Language: t.Language, Text: words.Say(t.Language, key, map[string]string{"time": words.When(t.Language, t.By, s.Clock.Now(), zone)})}}
}

// speaks answers what the call of a message says.
func (s *server) speaks(r *http.Request, org person.OrgID) (spoken, error) {
	say, err := s.Message.Speak(r.Context(), org, r.PathValue("code"))
	if err != nil {
		return spoken{}, err
	}
	out := spoken{Spoken: say}
	if say.Asks {
		out.key = s.PublicURL + "/hooks/voice/" + string(org) + "/key/" + r.PathValue("code")
	}
	return out, nil
}

// key takes what was pressed.
func (s *server) key(r *http.Request, org person.OrgID) (spoken, error) {
	if r.PostForm.Get("CallSid") == "" {
		return spoken{}, fault.Invalidf("CallSid is needed.")
	}
	digit, err := strconv.Atoi(r.PostForm.Get("Digits"))
	if err != nil { // a star
		digit = 0
	}
	say, err := s.Message.Press(r.Context(), org, r.PathValue("code"), digit, r.PostForm.Get("CallSid"))
	out := spoken{Spoken: say}
	if say.Asks {
		out.key = s.PublicURL + r.URL.Path
	}
	return out, err
}
