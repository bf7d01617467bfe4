package message

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// Draft is something to be said, before it is known on which channel and in which language.
type Draft struct {
	Org      person.OrgID
	Patient  person.ID // whom it is about
	To       string    // patient, caregivers, role:nurse, next:nurse, person:ID
	At       time.Time // when it was due to be said
	Key      string    // the cause: the same key, patient and At give the same message
	Say      string    // catalog key after "sms."; "push." and "mail." have its short forms
	Args     map[string]string
	Promises []string
	Severity Severity
	Channels []person.Channel // empty: the person's own order
	Ask      bool             // the text asks for a numbered answer
	Late     bool             // say that it is late, where the catalog has words for it
	Useful   time.Time        // not sent after this, however long it has to wait; zero: always useful
	Light    bool             // a cue on the person's devices, no words
	Page     string           // the page that the link opens after signing in; empty: a short link to the one thing
	Cause    string           // calls of one cause within CauseWindow are one to each person; empty: each is its own
	Raw      string           // a body to be sent as it is (a sign-in link): Say and Args are not used
}

// rawSay stands for words that are sent as they are.
const rawSay = "raw"

const (
	// lease is how long a process may take to hand a message over before another looks what became of it.
	lease = time.Minute
	// codeWhile is how long a question's letter stays taken.
	codeWhile = 12 * time.Hour
	letters   = "ABCDEFGHJKLMNPQRTUVWXYZ" // without I, O, S, which look like digits
)

// work is what Ready keeps while it turns drafts into messages.
type work struct {
	s     *Service
	tx    *store.Tx
	now   time.Time
	orgs  map[person.OrgID]person.Org
	taken map[person.ID]string // letters of open questions, by patient
	who   map[person.ID]string // who is acting for a patient
	out   []Message
	buf   []byte

	calls []call  // messages that have a cause
	given []given // letters of questions to addresses that several people share

	asked  said // the last stored argument that was put into words
	answer string
}

// given is a letter that was given to a question about a patient.
type given struct {
	org     person.OrgID
	patient person.ID
	channel person.Channel
	address string
	letter  string
}

// said is a stored argument and who was to read it.
type said struct{ language, zone, value string }

// Ready works out the messages for drafts and only reads; the function it answers writes them.
func (s *Service) Ready(tx *store.Tx, drafts []Draft) (func(tx *store.Tx) error, error) {
	w := &work{s: s, tx: tx, now: s.clock.Now(), orgs: map[person.OrgID]person.Org{}, taken: make(map[person.ID]string, len(drafts)), who: map[person.ID]string{},
		out: make([]Message, 0, len(drafts))}
	for from := 0; from < len(drafts); {
		to := from
		for to < len(drafts) && drafts[to].Org == drafts[from].Org {
			to++
		}
		if err := w.org(drafts[from:to]); err != nil {
			return nil, err
		}
		from = to
	}
	return func(tx *store.Tx) error {
		if err := w.stillFree(tx); err != nil {
			return err
		}
		out := w.out
		if len(w.calls) > 0 {
			out = slices.Clone(out) // the caller may have to write the same list again
			if err := s.quiet(tx, slices.Clone(w.calls), out); err != nil {
				return err
			}
		}
		if err := s.put(tx, out); err != nil {
			return err
		}
		return s.unheard(tx, out)
	}, nil
}

// unheard tells the desk of urgent words that went nowhere but to a page, because the person has no address that may be used:
// nobody may be looking at the page.
func (s *Service) unheard(tx *store.Tx, list []Message) error {
	for _, m := range list {
		if m.Channel != person.Page || m.Severity < Urgent || m.State != Sent || s.desk == nil {
			continue
		}
		if err := s.desk.Undelivered(tx, m); err != nil {
			return err
		}
	}
	return nil
}

// Say is Ready and its function in one, for a single draft inside a caller's transaction.
func (s *Service) Say(tx *store.Tx, d Draft) error {
	apply, err := s.Ready(tx, []Draft{d})
	if err != nil {
		return err
	}
	return apply(tx)
}

// org works out the drafts of one organization.
func (w *work) org(drafts []Draft) error {
	org := drafts[0].Org
	o, err := w.s.people.Org(w.tx, org)
	if err != nil {
		return err
	}
	w.orgs[org] = o
	patients, asked := make([]person.ID, 0, len(drafts)), make([]person.ID, 0, len(drafts))
	for i := range drafts {
		if d := &drafts[i]; i == 0 || d.Patient != drafts[i-1].Patient {
			patients = append(patients, d.Patient)
		}
		if d := &drafts[i]; d.Ask {
			asked = append(asked, d.Patient)
		}
	}
	people, err := w.s.people.Recipients(w.tx, org, patients)
	if err != nil {
		return err
	}
	if err := w.openCodes(org, asked); err != nil {
		return err
	}
	for i := range drafts {
		if err := w.draft(&drafts[i], people); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// draft finds the people a draft is for and writes to each.
func (w *work) draft(d *Draft, people map[person.ID]*person.Recipient) error {
	kind, who, _ := strings.Cut(d.To, ":")
	var to []person.ID
	switch kind {
	case "patient":
		if r := people[d.Patient]; r != nil {
			return w.compose(d, r, r)
		}
		return nil
	case "person":
		to = []person.ID{person.ID(who)}
	case "caregivers":
		list, err := w.s.people.Caregivers(w.tx, d.Org, d.Patient, person.See)
		if err != nil {
			return err
		}
		for _, p := range list {
			to = append(to, p.ID)
		}
	case "role":
		var err error
		if to, err = w.onDuty(d, person.Role(who)); err != nil {
			return err
		}
	case "next":
		var err error
		if to, err = w.next(d, person.Role(who)); err != nil {
			return err
		}
	}
	if len(to) == 0 {
		return nil
	}
	found, err := w.s.people.Recipients(w.tx, d.Org, to)
	if err != nil {
		return err
	}
	for _, id := range to {
		if r := found[id]; r != nil {
			if err := w.compose(d, r, people[d.Patient]); err != nil {
				return err
			}
		}
	}
	return nil
}

// onDuty answers who is on duty for a role in the patient's teams; when nobody is, everybody with the role in those teams: a
// page must reach somebody.
func (w *work) onDuty(d *Draft, role person.Role) ([]person.ID, error) {
	p, err := w.s.people.Get(w.tx, d.Org, d.Patient)
	if err != nil {
		return nil, err
	}
	shifts, err := w.s.people.OnDuty(w.tx, d.Org, role, p.Teams, w.now)
	if err != nil {
		return nil, err
	}
	var out []person.ID
	for _, sh := range shifts {
		if !slices.Contains(out, sh.Person) {
			out = append(out, sh.Person)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	return w.inTeams(d, role)
}

// next answers who comes after those on duty for a role: everybody else who has it in the patient's teams. With nobody else, those on
// duty are called once more.
func (w *work) next(d *Draft, role person.Role) ([]person.ID, error) {
	first, err := w.onDuty(d, role)
	if err != nil {
		return nil, err
	}
	all, err := w.inTeams(d, role)
	all = slices.DeleteFunc(all, func(id person.ID) bool { return slices.Contains(first, id) })
	if len(all) == 0 {
		all = first
	}
	return all, err
}

// inTeams answers everybody with a role in the patient's teams.
func (w *work) inTeams(d *Draft, role person.Role) (out []person.ID, err error) {
	p, err := w.s.people.Get(w.tx, d.Org, d.Patient)
	if err != nil {
		return nil, err
	}
	all, err := w.s.people.WithRole(w.tx, d.Org, role)
	for _, x := range all {
		if slices.ContainsFunc(x.Teams, func(t person.TeamID) bool { return slices.Contains(p.Teams, t) }) {
			out = append(out, x.ID)
		}
	}
	return out, err
}

// acting answers the name of the nurse who acts for a patient, else the clinic's.
func (w *work) acting(d *Draft) (string, error) {
	if name, ok := w.who[d.Patient]; ok {
		return name, nil
	}
	ids, err := w.onDuty(d, person.Nurse)
	if err != nil {
		return "", err
	}
	name := w.orgs[d.Org].Name
	if len(ids) > 0 {
		p, err := w.s.people.Get(w.tx, d.Org, ids[0])
		if err != nil {
			return "", err
		}
		name = p.Called
	}
	w.who[d.Patient] = name
	return name, nil
}

// compose writes one message to one person, on the first channel that may be used.
func (w *work) compose(d *Draft, r, about *person.Recipient) error {
	if d.Light {
		for _, c := range r.Contacts {
			if c.Channel == person.Cue && c.Consent == person.Given {
				w.add(d, r, c, "", cueBody(d))
			}
		}
		return nil
	}
	contact, shared := w.s.pick(r, d.Channels, nil)
	code := ""
	if d.Ask {
		var err error
		if code, err = w.letter(d, contact, shared); err != nil {
			return err
		}
	}
	body, err := w.text(d, r, about, code)
	if err != nil {
		return err
	}
	w.add(d, r, contact, code, body)
	return nil
}

// cueBody is what a device is told on down/cue (INTERFACES).
func cueBody(d *Draft) string {
	b, _ := json.Marshal(map[string]any{"promise": d.Promises[0], "cue": "light", "slot": 1, "until": d.At.Add(time.Hour).UTC().Format(time.RFC3339)})
	return string(b)
}

// pick answers the first of a person's addresses that has consent and a gateway, in the order asked for, leaving out those
// already tried. With none left it answers the page, which is always there.
func (s *Service) pick(r *person.Recipient, order []person.Channel, tried []string) (person.Contact, bool) {
	ok := func(c person.Contact) bool {
		return c.Consent == person.Given && c.Channel != person.Cue && s.sends(c.Channel) && !slices.Contains(tried, string(c.Channel)+":"+c.Address)
	}
	for _, want := range order {
		for i, c := range r.Contacts {
			if c.Channel == want && ok(c) {
				return c, r.Shared[i]
			}
		}
	}
	if len(order) == 0 {
		for i, c := range r.Contacts {
			if ok(c) {
				return c, r.Shared[i]
			}
		}
	}
	return person.Contact{Person: r.ID, Channel: person.Page}, false
}

// letter finds a letter that no other open question at this address has.
func (w *work) letter(d *Draft, c person.Contact, shared bool) (string, error) {
	taken := w.taken[d.Patient]
	if shared {
		if w.tx.Engine() == store.Postgres { // two transactions at once would not see each other's letters
			if _, err := w.tx.Exec("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", c.Address); err != nil {
				return "", err
			}
		}
		others, err := w.s.aboutAddress(w.tx, d.Org, c.Channel, c.Address)
		if err != nil {
			return "", err
		}
		if err := w.openCodes(d.Org, others); err != nil {
			return "", err
		}
		for _, p := range others {
			taken += w.taken[p]
		}
	}
	for i := range len(letters) {
		if l := letters[i : i+1]; !strings.Contains(taken, l) {
			w.taken[d.Patient] += l
			if shared {
				w.given = append(w.given, given{d.Org, d.Patient, c.Channel, c.Address, l})
			}
			return l, nil
		}
	}
	return letters[:1], nil
}

// stillFree answers a conflict when a letter has been given to a question about somebody else at the same address since it was
// chosen in another transaction: the ledger works its batches out ahead, and a shared telephone may be in two of them.
func (w *work) stillFree(tx *store.Tx) error {
	if tx == w.tx {
		return nil
	}
	for _, g := range w.given {
		about, err := w.s.aboutAddress(tx, g.org, g.channel, g.address)
		if err != nil {
			return err
		}
		now := work{s: w.s, tx: tx, now: w.now, taken: map[person.ID]string{}}
		if err := now.openCodes(g.org, about); err != nil {
			return err
		}
		for _, p := range about {
			if p != g.patient && strings.Contains(now.taken[p], g.letter) {
				return fault.Conflictf("The letter of a question has been given to another one at the same telephone.")
			}
		}
	}
	return nil
}

// text puts a draft into the words of the recipient's language.
func (w *work) text(d *Draft, r, about *person.Recipient, code string) (string, error) {
	if d.Raw != "" {
		return d.Raw, nil
	}
	o := w.orgs[d.Org]
	key := "sms." + d.Say
	if d.Late && words.Has(key+".late") {
		key += ".late"
	}
	var failed error
	body := words.Compose(r.Language, key, func(name string) (string, bool) {
		switch {
		case name == "clinic":
			return o.Name, true
		case name == "phone":
			return o.Phone, true
		case name == "code":
			return code, true
		case name == "called" && about != nil:
			return about.Called, true
		}
		value, ok := d.Args[name]
		if value != "" {
			return w.value(r, value), true
		}
		switch name {
		case "link":
			return w.link(d, r), true
		case "who":
			who, err := w.acting(d)
			failed = errors.Join(failed, err)
			return who, true
		}
		return "", ok
	})
	return body, failed
}

// value writes a stored argument for a reader. Most readers of one batch are told the same in the same language and zone.
func (w *work) value(r *person.Recipient, value string) string {
	asked := said{r.Language, r.Zone, value}
	if asked != w.asked {
		w.asked, w.answer = asked, words.Value(r.Language, value, r.Location())
	}
	return w.answer
}

func (w *work) link(d *Draft, r *person.Recipient) string {
	if r.Role.Staff() {
		return w.s.publicURL + "/desk"
	}
	if d.Page != "" {
		return w.s.publicURL + d.Page
	}
	m := Message{Org: d.Org, Patient: d.Patient, At: d.At, Person: r.ID, Say: d.Say, Promises: strings.Join(d.Promises, " ")}
	return w.s.publicURL + "/r/" + w.s.LinkCode(&m)
}

// add decides when a message goes out: now, or when quiet hours end; severe ones are never quiet, useless ones are dropped.
func (w *work) add(d *Draft, r *person.Recipient, c person.Contact, code, body string) {
	m := Message{Org: d.Org, Patient: d.Patient, At: d.At, Person: r.ID, Channel: c.Channel, Address: c.Address, Say: d.Say, Body: body,
		Promises: strings.Join(d.Promises, " "), Code: code, Severity: d.Severity, State: Queued, Due: w.now, Moved: w.now}
	if d.Raw != "" {
		m.Say = rawSay
	}
	m.ID = clock.DerivedID(d.Key, string(r.ID), string(c.Channel), c.Address)
	if c.Channel == person.Page {
		m.State, m.Due = Sent, time.Time{}
	} else if quiet, until := r.Quiet(w.now); quiet && d.Severity < Urgent && c.Channel != person.Cue && d.Raw == "" && !r.Role.Staff() {
		m.Due = until
	}
	if !d.Useful.IsZero() && m.Due.After(d.Useful) {
		m.State, m.Due = Dropped, time.Time{}
	}
	m.until = store.Micros(d.Useful)
	if d.Late && !words.Has("sms."+d.Say+".late") {
		m.since = store.Micros(d.At)
	}
	m.sum, w.buf = m.checksum(w.buf)
	if d.Cause != "" && m.State != Dropped {
		w.calls = append(w.calls, call{len(w.out), d.Org, r.ID, d.Cause})
	}
	w.out = append(w.out, m)
}

// put writes messages and, where this process sends and has room, hands them over without another look at the database.
func (s *Service) put(tx *store.Tx, list []Message) error {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)    // the caller may have to write the same list again
	direct := map[*route][]int{} // what goes out at once, by its place in the list
	var routes []*route          // in order of appearance
	if s.Running() {
		rooms := map[*route]int{}
		var channel person.Channel
		var rt *route
		for i := range list {
			m := &list[i]
			if m.State != Queued || m.Due.After(m.Moved) {
				continue
			}
			if m.Channel != channel {
				channel, rt = m.Channel, s.route(m.Channel)
			}
			if rt == nil {
				continue
			}
			if _, asked := rooms[rt]; !asked {
				rooms[rt] = rt.room()
				routes = append(routes, rt)
			}
			if len(direct[rt]) < rooms[rt] {
				direct[rt] = append(direct[rt], i)
			}
		}
	}
	batches := make([]*batch, len(routes))
	for r, rt := range routes {
		places := direct[rt]
		mine := make([]Message, len(places))
		for k, i := range places {
			list[i].State = Handing
			mine[k] = list[i]
		}
		id := ""
		if together(mine) {
			id = s.ids.New()
		}
		b := newBatch(id, mine, s.clock.Now())
		if id != "" {
			b.useful = shared(mine)
		}
		for k, i := range places {
			m := &list[i]
			if id != "" {
				m.State, m.Due, mine[k].Due = batched, time.Time{}, time.Time{}
			} else {
				m.Due = b.leased.Add(lease)
				mine[k].Due = m.Due
			}
			if m.useful != b.useful {
				m.aside, mine[k].aside, b.apart = true, true, true
			}
			if mine[k].since == 0 {
				mine[k].since = store.Micros(m.Moved)
			}
		}
		if err := s.insertLease(tx, b); err != nil {
			return err
		}
		batches[r] = b
	}
	if err := insert(tx, list); err != nil {
		return err
	}
	for i := range list {
		if m := &list[i]; m.State == Queued && m.useful != (useful{}) {
			m.aside = true
		}
	}
	if err := insertUseful(tx, list); err != nil {
		return err
	}
	tx.After(func() {
		for r, rt := range routes {
			if len(batches[r].list) > 0 {
				rt.offer(batches[r])
			}
		}
		s.wake()
	})
	if len(list) <= 200 { // in a spike pages look again by themselves
		for _, m := range list {
			tx.Hint("patient", string(m.Org)+"/"+string(m.Patient))
		}
	}
	return nil
}

// Running reports whether this process hands messages over.
func (s *Service) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}
