package api_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/message/gateway"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// hook sends what a gateway would, signed with a token.
func (h *clinic) hook(path, token string, form url.Values) answer {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), "POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", gateway.Signature(token, base+path, form))
	return h.do(r)
}

func text(from, body, sid string) url.Values {
	return url.Values{"From": {from}, "To": {"+15550100200"}, "Body": {body}, "MessageSid": {sid}}
}

// kept answers how many messages are stored.
func (h *clinic) kept() (n int) {
	h.t.Helper()
	h.write(func(tx *store.Tx) {
		_, err := tx.Row("SELECT COUNT(*) FROM message", nil, &n)
		h.must(err)
	})
	return n
}

func TestATextFromAPatientAnswersADose(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.prescribe()
		h.to(start.Add(time.Hour))
		a := h.hook("/hooks/sms/clinic", smsToken, text("+15550100001", "1", "SM1")).want(200)
		if a.header.Get("Content-Type") != "text/xml; charset=utf-8" || !strings.HasSuffix(a.body, "<Response/>") {
			t.Error(a.body)
		}
		n := h.kept()
		h.hook("/hooks/sms/clinic", smsToken, text("+15550100001", "1", "SM1")).want(200) // delivered twice
		if h.kept() != n {
			t.Error("one text was kept twice")
		}
		if d := h.get(h.ruth, patientPath(h.ruth, "doses")).items()[0]; d["status"] != "taken" {
			t.Error(d)
		}
		in := 0
		list := h.get(h.elena, patientPath(h.ruth, "messages")).items()
		for _, m := range list {
			if m["direction"] == "in" && m["body"] == "1" && m["channel"] == "sms" && m["state"] == "delivered" {
				in++
			}
			if m["address"] != nil {
				t.Errorf("a caregiver was told %v", m["address"])
			}
		}
		if in != 1 || len(list) < 3 {
			t.Error(list)
		}
		asked := 0
		for _, m := range h.get(h.dana, patientPath(h.ruth, "messages")).items() {
			if m["address"] == "+15550100001" && m["direction"] == "out" && m["say"] == "dose" {
				asked++
			}
		}
		if asked != 1 {
			t.Error(asked)
		}
	})
}

func TestFault08ATextFromAnUnknownNumberIsNobodysChart(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.hook("/hooks/sms/clinic", smsToken, text("+15550109999", "I feel dizzy", "SM2")).want(200)
		for _, p := range []person.Person{h.ruth, h.luis} {
			if list := h.get(h.omar, patientPath(p, "messages")).items(); len(list) != 0 {
				t.Error(list)
			}
		}
		if list := h.get(h.omar, "/api/v1/desk/risk").items(); len(list) != 1 || list[0]["patient"] != nil || list[0]["cause"] != "stranger" {
			t.Error(list)
		}
	})
}

func TestAHookThatTheGatewayDidNotSignStoresNothing(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		form := text("+15550100001", "STOP", "SM3")
		for _, a := range []answer{
			h.hook("/hooks/sms/clinic", "guess", form),
			h.hook("/hooks/sms/clinic", "", form),
			h.hook("/hooks/sms/elsewhere", smsToken, form),
			h.hook("/hooks/sms/elsewhere", "", form), // an organization without a gateway has no token
			h.hook("/hooks/sms/clinic/status", "guess", url.Values{"MessageSid": {"SM"}, "MessageStatus": {"delivered"}}),
		} {
			a.want(403)
		}
		// A signature is for one address: that of the status is none for a text.
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/hooks/sms/clinic?x=1", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Twilio-Signature", gateway.Signature(smsToken, base+"/hooks/sms/clinic", form))
		h.do(r).want(403)
		if n := h.kept(); n != 0 {
			t.Errorf("%d messages", n)
		}
		h.hook("/hooks/sms/clinic?x=1", smsToken, form).want(200) // the query is part of what is signed
	})
}

func TestAHookThatIsNoForm(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.call(person.Person{}, "POST", "/hooks/sms/clinic", `{"From":"x"}`).want(415)
		h.call(person.Person{}, "POST", "/hooks/sms/clinic", "Body=%zz", "Content-Type", "application/x-www-form-urlencoded").want(400)
		h.hook("/hooks/sms/clinic", smsToken, text("+15550100001", strings.Repeat("x", 80<<10), "SM4")).want(413)
		h.hook("/hooks/sms/clinic", smsToken, url.Values{"Body": {"hello"}}).want(422)
		h.hook("/hooks/sms/clinic", smsToken, text("Bank", "You have won", "SM5")).want(422)
		h.hook("/hooks/sms/clinic/status", smsToken, url.Values{"MessageStatus": {"sent"}}).want(422)
		if n := h.kept(); n != 0 {
			t.Errorf("%d messages", n)
		}
	})
}

func TestFault05DeliveryReportsOnlyMoveForward(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.prescribe()
		h.Message.SetChannel(person.SMS, &numbered{})
		h.to(start.Add(time.Hour))
		_, err := h.Message.SendDue(t.Context())
		h.must(err)
		report := func(status string) any {
			h.hook("/hooks/sms/clinic/status", smsToken, url.Values{"MessageSid": {"GW1"}, "MessageStatus": {status}}).want(200)
			return h.get(h.dana, patientPath(h.ruth, "messages")).items()[0]["state"]
		}
		if s := report("delivered"); s != "delivered" {
			t.Error(s)
		}
		if s := report("sent"); s != "delivered" {
			t.Error(s)
		}
		if s := report("something-new"); s != "delivered" {
			t.Error(s)
		}
		h.hook("/hooks/sms/clinic/status", smsToken, url.Values{"MessageSid": {"unknown"}, "MessageStatus": {"delivered"}}).want(200)
	})
}

func TestSignInLinksAreNotRead(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.write(func(tx *store.Tx) {
			h.must(h.Message.Say(tx, message.Draft{Org: org, Patient: h.ruth.ID, To: "patient", At: start, Key: "in", Say: "signin", Raw: "https://doorstep.test/in/secret",
				Channels: []person.Channel{person.SMS}}))
			h.must(h.Message.Say(tx, message.Draft{Org: org, Patient: h.ruth.ID, To: "person:" + string(h.dana.ID), At: start, Key: "page", Say: "page.staff"}))
		})
		for _, who := range []person.Person{h.elena, h.dana, h.ruth} {
			a := h.get(who, patientPath(h.ruth, "messages")).want(200)
			if strings.Contains(a.body, "secret") || len(a.items()) == 0 {
				t.Error(a.body)
			}
			if staff := who.ID == h.dana.ID; (len(a.items()) == 2) != staff { // what was said to Dana is for the staff
				t.Errorf("%s: %s", who.Name, a.body)
			}
		}
	})
}
