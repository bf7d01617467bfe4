package web

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Settings are the edges of an organization, as its Org.Settings holds them in JSON.
type Settings struct {
	SMS  SMSSettings  `json:"sms"`
	Mail MailSettings `json:"mail"`
}

// SMSSettings name a gateway that speaks Twilio's form of HTTP.
type SMSSettings struct {
	URL     string `json:"url,omitempty"`
	Account string `json:"account,omitempty"`
	Token   string `json:"token,omitempty"`
	From    string `json:"from,omitempty"` // the number that texts come from
}

// MailSettings name a mail server for submission.
type MailSettings struct {
	Host     string `json:"host,omitempty"`
	Port     int    `json:"port,omitempty"`
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
	From     string `json:"from,omitempty"`
}

// Gateways tries a gateway with a message of its own, at once and outside the outbox, takes settings into use, and says with
// which key browsers subscribe to pushes (empty: there are none).
type Gateways interface {
	Try(ctx context.Context, settings Settings, ch person.Channel, to, subject, body string) error
	Use(org person.OrgID, settings Settings) error
	PushKey() string
}

// setUpSteps are the parts of the wizard, in order; every part can be come back to.
var setUpSteps = []string{"clinic", "places", "teams", "staff", "gateways", "finish"}

type setUpPage struct {
	*page
	Token    string
	Step     string
	Settings Settings
	Places   []person.Place
	Teams    []person.Team
	Staff    []person.Person
}

func (s *Server) setUpRoutes(mux *http.ServeMux) {
	mux.Handle("GET /setup/{token}", s.open(s.setUp))
	mux.Handle("POST /setup/{token}", s.open(s.saveSetUp))
}

// settingUp reads how far the set-up behind a link has come.
func (s *Server) settingUp(r *http.Request, p *page) (setUpPage, error) {
	p.Title = "setup.title"
	m := setUpPage{page: p, Token: r.PathValue("token"), Step: r.FormValue("step")}
	if !slices.Contains(setUpSteps, m.Step) {
		m.Step = setUpSteps[0]
	}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		l, err := s.Person.FindLink(tx, m.Token)
		if err != nil {
			return err
		}
		if l.Purpose != person.SetupLink {
			return fault.NotFoundf("This link has run out. Ask for a new one, or call the clinic.")
		}
		p.Org = person.Org{ID: l.Org, Language: p.Lang}
		o, err := s.Person.Org(tx, l.Org)
		if fault.Is(err, fault.NotFound) {
			m.Step = setUpSteps[0] // nothing before the clinic itself
			return nil
		}
		if err != nil {
			return err
		}
		s.inOrg(p, o)
		return s.loadSetUp(tx, &m)
	})
	return m, err
}

func (s *Server) loadSetUp(tx *store.Tx, m *setUpPage) error {
	var err error
	if m.Settings, err = ReadSettings(m.Org); err != nil {
		return err
	}
	if m.Places, err = s.Person.Places(tx, m.Org.ID); err != nil {
		return err
	}
	if m.Teams, err = s.Person.Teams(tx, m.Org.ID); err != nil {
		return err
	}
	for _, role := range []person.Role{person.Nurse, person.Desk, person.Clinician, person.Leader, person.Operator, person.Driver} {
		list, err := s.Person.WithRole(tx, m.Org.ID, role)
		if err != nil {
			return err
		}
		m.Staff = append(m.Staff, list...)
	}
	return nil
}

// ReadSettings answers the settings of an organization; one that has none yet has empty ones.
func ReadSettings(o person.Org) (Settings, error) {
	var st Settings
	if o.Settings == "" {
		return st, nil
	}
	err := json.Unmarshal([]byte(o.Settings), &st)
	return st, err
}

func (s *Server) setUp(w http.ResponseWriter, r *http.Request, p *page) error {
	m, err := s.settingUp(r, p)
	if err != nil {
		return err
	}
	p.note(r)
	w.Header().Set("Cache-Control", "no-store")
	return s.show(w, r, http.StatusOK, p, setUpView(m))
}

// saveSetUp saves one part and shows the next, or the same again with what is wrong.
func (s *Server) saveSetUp(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	m, err := s.settingUp(r, p)
	if err != nil {
		return err
	}
	if r.PostForm.Get("try") != "" {
		return s.tryGateway(w, r, m)
	}
	to, err := s.saveStep(w, r, m)
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.show(w, r, status, p, setUpView(m)) })
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// saveStep saves a part and answers where to go next.
func (s *Server) saveStep(w http.ResponseWriter, r *http.Request, m setUpPage) (string, error) {
	f := r.PostForm
	here := "/setup/" + m.Token + "?step="
	get := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	write := func(fn func(tx *store.Tx) error) error { return s.DB.Write(r.Context(), fn) }
	switch m.Step {
	case "clinic":
		o := m.Org
		o.Name, o.Zone, o.Language = get("name"), get("zone"), get("language")
		if !slices.Contains(person.Languages, o.Language) {
			return "", fault.Invalidf("Please choose a language from the list.")
		}
		var err error
		if o.Phone, err = person.Phone(get("phone")); err != nil {
			return "", err
		}
		return here + "places", write(func(tx *store.Tx) error { return s.Person.SaveOrg(tx, o) })
	case "places":
		if get("name") == "" {
			return here + "teams", nil
		}
		place := person.Place{ID: s.IDs.New(), Name: get("name"), Address: get("address"), Zone: m.Org.Zone, Phone: m.Org.Phone}
		return here + "places&done=added", write(func(tx *store.Tx) error { return s.Person.SavePlace(tx, m.Org.ID, place) })
	case "teams":
		if get("name") == "" && len(m.Teams) > 0 {
			return here + "staff", nil
		}
		team := person.Team{ID: person.TeamID(s.IDs.New()), Name: get("name")}
		return here + "teams&done=added", write(func(tx *store.Tx) error { return s.Person.SaveTeam(tx, m.Org.ID, team) })
	case "staff":
		if get("name") == "" && len(m.Staff) > 0 {
			return here + "gateways", nil
		}
		return here + "staff&done=added", write(func(tx *store.Tx) error { return s.saveStaff(tx, r, m) })
	case "gateways":
		st, err := readGateways(r)
		if err != nil {
			return "", err
		}
		return here + "finish", s.saveSettings(r.Context(), m.Org, st)
	}
	return s.finishSetUp(w, r, m)
}

func (s *Server) saveStaff(tx *store.Tx, r *http.Request, m setUpPage) error {
	f := r.PostForm
	who := person.Person{Org: m.Org.ID, Role: person.Role(f.Get("role")), Name: strings.TrimSpace(f.Get("name")), Language: f.Get("language"), Zone: m.Org.Zone}
	if who.Role == person.Patient || who.Role == person.Caregiver {
		return fault.Invalidf("Please choose what this person does here.")
	}
	for _, t := range m.Teams {
		if f.Get("team_"+string(t.ID)) != "" {
			who.Teams = append(who.Teams, t.ID)
		}
	}
	if len(who.Teams) == 0 && who.Role.Staff() {
		return fault.Invalidf("Please choose a team.")
	}
	if strings.TrimSpace(f.Get("phone"))+strings.TrimSpace(f.Get("mail")) == "" {
		return fault.Invalidf("Please write your phone number or e-mail address.")
	}
	saved, err := s.Person.Save(tx, who)
	if err != nil {
		return err
	}
	return s.saveAddresses(tx, r, saved)
}

func readGateways(r *http.Request) (Settings, error) {
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	st := Settings{SMS: SMSSettings{URL: get("sms_url"), Account: get("sms_account"), Token: get("sms_token"), From: get("sms_from")},
		Mail: MailSettings{Host: get("mail_host"), User: get("mail_user"), Password: get("mail_password"), From: get("mail_from")}}
	if port := get("mail_port"); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return st, fault.Invalidf("The port must be a number, like 587.")
		}
		st.Mail.Port = n
	}
	if st.SMS.URL != "" && !strings.HasPrefix(st.SMS.URL, "https://") && !strings.HasPrefix(st.SMS.URL, "http://") {
		return st, fault.Invalidf("The address of the gateway begins with https://")
	}
	return st, nil
}

// saveSettings keeps the gateways' settings and takes them into use.
func (s *Server) saveSettings(ctx context.Context, o person.Org, st Settings) error {
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	o.Settings = string(text)
	if err := s.DB.Write(ctx, func(tx *store.Tx) error { return s.Person.SaveOrg(tx, o) }); err != nil {
		return err
	}
	return s.Gateways.Use(o.ID, st)
}

// tryGateway sends a test message with the settings as they stand in the form, saved or not.
func (s *Server) tryGateway(w http.ResponseWriter, r *http.Request, m setUpPage) error {
	p := m.page
	p.Form = r.PostForm
	st, err := readGateways(r)
	ch := person.Channel(r.PostForm.Get("try"))
	to := strings.TrimSpace(r.PostForm.Get("try_" + string(ch)))
	if err == nil && ch == person.SMS {
		to, err = person.Phone(to)
	}
	if err == nil && to == "" {
		err = fault.Invalidf("Please write where the test should go.")
	}
	if err == nil {
		clinic := map[string]string{"clinic": m.Org.Name}
		if err = s.Gateways.Try(r.Context(), st, ch, to, p.Tell("mail.test", clinic), p.Tell("sms.test", clinic)); err != nil && fault.Is(err, fault.Internal) {
			err = fault.New(fault.Unavailable, "The gateway did not take it: %w", err)
		}
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.show(w, r, status, p, setUpView(m)) })
	}
	p.Done = p.T("setup.tried", "to", to)
	return s.show(w, r, http.StatusOK, p, setUpView(m))
}

// finishSetUp closes the link and signs its user in as the first of the staff.
func (s *Server) finishSetUp(w http.ResponseWriter, r *http.Request, m setUpPage) (string, error) {
	if len(m.Teams) == 0 || len(m.Staff) == 0 {
		return "", fault.Invalidf("A team and one member of the staff are needed first.")
	}
	// Whom the user named first: ids are in the order in which they were given.
	first := slices.MinFunc(m.Staff, func(a, b person.Person) int { return cmp.Compare(a.ID, b.ID) })
	var token string
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if err := s.Person.UseLink(tx, m.Token); err != nil {
			return err
		}
		if err := s.Appointment.FirstSetUp(tx, m.Org); err != nil {
			return err
		}
		var err error
		token, _, err = s.Person.NewSession(tx, first)
		return err
	})
	if err != nil {
		return "", err
	}
	v := person.Viewer{Role: first.Role}
	s.setCookie(w, s.cookieName(), token, sessionAge(first.Role))
	return home(v), nil
}
