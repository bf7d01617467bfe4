package api

import (
	"mime"
	"net/http"

	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/message/gateway"
	"doorstep/internal/person"
)

// maxHook bounds a webhook's body, in bytes.
const maxHook = 64 << 10

// nothing is the answer to a gateway that expects to be told what to do next.
const nothing = `<?xml version="1.0" encoding="UTF-8"?><Response/>`

// hookRoutes are what a text gateway calls (Twilio's form).
func (s *server) hookRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /hooks/sms/{org}", s.hook(s.inbound))
	mux.HandleFunc("POST /hooks/sms/{org}/status", s.hook(s.status))
	s.voiceRoutes(mux)
}

// hook lets through what the organization's gateway has signed. Nothing is stored, or looked at, before that is known.
func (s *server) hook(take func(r *http.Request, org person.OrgID) (answer string, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
			writeProblem(w, newProblem(http.StatusUnsupportedMediaType, "Please send a form: application/x-www-form-urlencoded."))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxHook)
		if err := r.ParseForm(); err != nil {
			p := problemOf(err)
			if p.Status == http.StatusInternalServerError {
				p = newProblem(http.StatusBadRequest, "The form could not be read.")
			}
			writeProblem(w, p)
			return
		}
		org := person.OrgID(r.PathValue("org"))
		token := ""
		if s.SMSToken != nil {
			token = s.SMSToken(org)
		}
		// An empty token would let anybody sign.
		if token == "" || !gateway.Signed(token, s.PublicURL+r.URL.RequestURI(), r.PostForm, r.Header.Get("X-Twilio-Signature")) {
			writeProblem(w, newProblem(http.StatusForbidden, "The signature is not right."))
			return
		}
		answer, err := take(r, org)
		if err != nil {
			s.noteFailure(r.Pattern, err)
			writeProblem(w, problemOf(err))
			return
		}
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.Write([]byte(answer))
	}
}

// inbound takes a text. Its reference makes a delivery that is repeated one text.
func (s *server) inbound(r *http.Request, org person.OrgID) (string, error) {
	f := r.PostForm
	if f.Get("MessageSid") == "" || f.Get("From") == "" {
		return "", fault.Invalidf("From and MessageSid are needed.")
	}
	return nothing, s.Message.Receive(r.Context(), message.Inbound{Org: org, Channel: person.SMS, From: f.Get("From"), Body: f.Get("Body"), Ref: f.Get("MessageSid")})
}

// status takes a delivery report. A word that says nothing new, or that we do not know, is no mistake of the gateway's.
func (s *server) status(r *http.Request, _ person.OrgID) (string, error) {
	f := r.PostForm
	if f.Get("MessageSid") == "" {
		return "", fault.Invalidf("MessageSid is needed.")
	}
	state, new := gateway.Status(f.Get("MessageStatus"))
	if !new {
		return nothing, nil
	}
	return nothing, s.Message.Report(r.Context(), f.Get("MessageSid"), state)
}
