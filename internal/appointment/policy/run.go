package policy

import (
	"container/heap"
	"math"
	"slices"
	"time"
)

// Run is what became of one world under one policy.
type Run struct {
	Days     []float64 // from the first asking to being seen, of each person counted; of those still waiting at the end, so far
	Waiting  int       // of them, still waiting
	Left     int       // people counted who gave up: they are in no other number
	Freed    int       // times given back before their start
	Filled   int       // of them, given to somebody else
	ByList   int       // of them, to somebody who was offered it
	Offers   int       // messages that offered a time
	Asked    int       // messages that asked whether somebody comes
	Gone     int       // people who said yes to a time that somebody had taken
	Visits   int       // held
	NoShows  int       //
	Extra    int       // visits held beside another
	Overtime float64   // minutes past the end of the day, all clinicians and days
	Wait     float64   // minutes from the later of one's time and one's coming until the visit begins, all visits
	Shifts   int       // clinician-days
}

type kind int

const (
	asks kind = iota
	cancels
	reconfirms
	offers
	replies
	visits
	dayEnds
)

type event struct {
	at   int // minutes
	seq  int
	kind kind
	who  int // person, freed time or day
	what int // version of the person's booking; freed time of a reply
	yes  bool
}

type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

type someone struct {
	asked   int
	notice  int
	attempt int
	version int
	slot    int // -1: none
	beside  bool
	misses  bool
	chance  float64
	lead    int // days, at the first booking of this attempt
	offer   bool
	silent  int  // offers in a row that she has not answered
	done    bool // seen, or gone
	counted bool
}

type freedTime struct {
	slot, next   int
	asked        map[int]bool
	offers, open int
	closed       bool
}

const (
	day     = 24 * 60
	nobody  = -1
	counter = 72 * 60 // before a visit, people are asked whether they come
)

type sim struct {
	World
	Policy
	seed  uint64
	q     queue
	seq   int
	now   int
	who   []someone
	live  []int // people with a booking to come or an asking to come, who asked first comes first
	slot  []int // by start, then clinician
	extra []int
	freed []bool // the slot was given back, and nobody has it since
	lost  []bool
	kept  []int // for those who are offered it, until then
	times []freedTime
	yes   []bool   // answers of late, for the share that is expected
	shift [][]bool // by clinician-day: where one may be booked beside another; nil: not worked out
	days  int
	from  int // the first slot that may be free
	Run
}

// Simulate lets the days of a world pass under a policy. The same seed gives the same people with the same intentions to every policy.
func Simulate(w World, p Policy, seed uint64) Run {
	days := w.Days + w.After
	s := &sim{World: w, Policy: p, seed: seed, days: days}
	n := (days + 400) * w.Slots * w.Clinicians
	s.slot, s.extra, s.freed, s.lost = make([]int, n), make([]int, n), make([]bool, n), make([]bool, n)
	s.kept, s.shift = make([]int, n), make([][]bool, n/w.Slots)
	for i := range n {
		s.slot[i], s.extra[i] = nobody, nobody
	}
	s.backlog()
	s.demand()
	for d := range days {
		s.push(event{at: d*day + day - 1, kind: dayEnds, who: d})
	}
	heap.Init(&s.q)
	for len(s.q) > 0 {
		e := heap.Pop(&s.q).(event)
		if e.at >= days*day {
			break
		}
		s.now = e.at
		s.handle(e)
	}
	for i := range s.who {
		if p := &s.who[i]; p.counted && !p.done {
			s.Waiting++
			s.Run.Days = append(s.Run.Days, float64(days*day-p.asked)/day)
		}
	}
	return s.Run
}

func (s *sim) push(e event) {
	s.seq++
	e.seq = s.seq
	heap.Push(&s.q, e)
}

func (s *sim) begins(slot int) int {
	i := slot / s.Clinicians
	return i/s.Slots*day + s.Opens + i%s.Slots*s.SlotMin
}

// backlog fills the calendar as it would be had demand been like this for long: each visit booked so many days before.
func (s *sim) backlog() {
	for slot := range s.Backlog * s.Slots * s.Clinicians {
		at := s.begins(slot)
		who := s.person(at - s.World.Backlog*day)
		s.live = append(s.live, who)
		s.book(who, slot, false)
	}
}

// demand lets people ask, at random over the hours from an hour before opening to an hour after closing.
func (s *sim) demand() {
	rate := s.Load * float64(s.Clinicians*s.Slots)
	for d := range s.days {
		n := 0
		for sum := s.exp(uint64(d), 0, 'd'); sum < rate; n++ {
			sum += s.exp(uint64(d), n+1, 'd')
		}
		at := make([]int, n)
		for i := range at {
			at[i] = d*day + s.Opens - 60 + int(s.u(uint64(d), i, 'm')*float64(s.Slots*s.SlotMin+120))
		}
		slices.Sort(at)
		for _, t := range at {
			who := s.person(t)
			s.who[who].counted = d < s.World.Days
			s.push(event{at: t, kind: asks, who: who})
		}
	}
}

func (s *sim) person(asked int) int {
	who := len(s.who)
	p := someone{asked: asked, slot: nobody}
	u := s.u(uint64(who), 0, 'n')
	for _, n := range notices {
		p.notice = n.minutes
		if u -= n.share; u < 0 {
			break
		}
	}
	s.who = append(s.who, p)
	return who
}

func (s *sim) handle(e event) {
	if e.kind == dayEnds {
		s.closeDay(e.who)
		return
	}
	if e.kind == offers {
		s.offer(e.who)
		return
	}
	p := &s.who[e.who]
	switch e.kind {
	case asks:
		if p.attempt == 0 && p.version == 0 {
			s.live = append(s.live, e.who)
		}
		slot, beside := s.find(p.notice)
		s.book(e.who, slot, beside)
	case replies:
		s.reply(e.who, e.what, e.yes)
	case cancels:
		if e.what == p.version {
			s.giveBack(e.who)
			s.again(e.who, s.now+int(s.u(uint64(e.who), p.attempt, 'g')*day))
		}
	case reconfirms:
		if e.what != p.version {
			return
		}
		s.Asked++
		if p.misses && s.u(uint64(e.who), p.attempt, 'r') < s.Reconfirmed {
			s.push(event{at: s.now + s.delay(e.who, p.attempt, 'R'), kind: cancels, who: e.who, what: e.what})
		}
	case visits:
		if e.what != p.version {
			return
		}
		p.version++
		p.done = !p.misses
		if p.misses {
			p.slot = nobody
			s.again(e.who, s.now+day)
		} else if p.counted {
			s.Run.Days = append(s.Run.Days, float64(s.begins(p.slot)-p.asked)/day)
		}
	}
}

// again lets a person who gave a visit back, or missed it, ask again or leave.
func (s *sim) again(who, at int) {
	p := &s.who[who]
	p.attempt++
	if s.u(uint64(who), p.attempt, 'a') >= s.Again {
		p.done = true
		if p.counted {
			s.Left++
		}
		return
	}
	s.push(event{at: max(at, s.now+1), kind: asks, who: who})
}

// find answers the first time that a person can take.
func (s *sim) find(notice int) (slot int, beside bool) {
	for s.Overbook == 0 && (s.slot[s.from] != nobody || s.lost[s.from]) || s.begins(s.from) < s.now {
		s.from++
	}
	for i := max(s.from, (s.now+notice)/day*s.Slots*s.Clinicians); i < len(s.slot); i++ {
		if s.begins(i) < s.now+notice {
			continue
		}
		if s.slot[i] == nobody && !s.lost[i] && s.kept[i] <= s.now {
			return i, false
		}
		if s.Overbook > 0 && s.besides(i) {
			return i, true
		}
	}
	panic("the calendar of the simulation is too short")
}

// besides reports whether a visit may be booked beside the one at a slot.
func (s *sim) besides(slot int) bool {
	key := slot/(s.Clinicians*s.Slots)*s.Clinicians + slot%s.Clinicians
	ok := s.shift[key]
	if ok == nil {
		chance, extras := make([]float64, s.Slots), make([]int, s.Slots)
		for i := range chance {
			at := s.at(key, i)
			if w := s.slot[at]; w != nobody {
				chance[i] = s.who[w].chance
			}
			if s.extra[at] != nobody {
				extras[i] = 1
			}
		}
		ok = Overbook(chance, extras, s.Policy.Overbook)
		s.shift[key] = ok
	}
	return ok[slot/s.Clinicians%s.Slots]
}

// at answers the slot of a clinician-day's i-th start.
func (s *sim) at(key, i int) int {
	return (key/s.Clinicians*s.Slots+i)*s.Clinicians + key%s.Clinicians
}

func (s *sim) changed(slot int) {
	s.shift[slot/(s.Clinicians*s.Slots)*s.Clinicians+slot%s.Clinicians] = nil
}

func (s *sim) book(who, slot int, beside bool) {
	p := &s.who[who]
	p.version++
	p.slot, p.beside = slot, beside
	if beside {
		s.extra[slot] = who
	} else {
		s.slot[slot] = who
		if s.freed[slot] {
			s.freed[slot] = false
			s.Filled++
		}
	}
	s.changed(slot)
	at, now := s.begins(slot), s.now
	if p.asked < 0 && now == 0 { // of the backlog, booked before the simulation begins
		now = p.asked
	}
	lead := (at - at%day - (now - (now%day+day)%day)) / day
	if !s.LeadFrozen || p.version == 1 || p.lead == 0 {
		p.lead = lead
	}
	chance := s.NoShow(p.lead)
	p.misses = s.u(uint64(who), p.attempt, 'w') < chance
	p.chance = s.NoShow(lead) // what the clinic can know
	if u := s.u(uint64(who), p.attempt, 'c'); u < 1-math.Exp(-s.CancelDay*float64(at-now)/day) {
		within := s.u(uint64(who), p.attempt, 't')
		when := at - int(within*min(day, float64(at-now)))
		if s.u(uint64(who), p.attempt, 'l') >= s.CancelLate && at-now > day {
			when = now + int(within*float64(at-now-day))
		}
		if when > s.now || when >= 0 && when < at && s.now > 0 {
			s.push(event{at: max(when, s.now+1), kind: cancels, who: who, what: p.version})
		}
	}
	if s.Reconfirm && at-s.now > counter {
		s.push(event{at: at - counter, kind: reconfirms, who: who, what: p.version})
	}
	s.push(event{at: at, kind: visits, who: who, what: p.version})
}

// giveBack frees what a person had.
func (s *sim) giveBack(who int) {
	p := &s.who[who]
	p.version++
	slot := p.slot
	p.slot = nobody
	s.changed(slot)
	switch {
	case p.beside:
		s.extra[slot] = nobody
		return
	case s.extra[slot] != nobody: // who was beside has it to herself
		s.slot[slot], s.extra[slot] = s.extra[slot], nobody
		s.who[s.slot[slot]].beside = false
		return
	}
	s.slot[slot] = nobody
	s.from = min(s.from, slot)
	left := s.begins(slot) - s.now
	s.Freed++
	s.freed[slot] = true
	if left < s.LostUnder {
		s.lost[slot] = true
		return
	}
	if s.Waitlist && left >= int(TooLate/time.Minute) {
		s.times = append(s.times, freedTime{slot: slot, asked: map[int]bool{}})
		s.push(event{at: s.now, kind: offers, who: len(s.times) - 1})
	}
}

func mins(d time.Duration) int { return int(d / time.Minute) }

// offer makes the next batch of offers of one freed time, as the service does.
func (s *sim) offer(id int) {
	f := &s.times[id]
	at := s.begins(f.slot)
	left := time.Duration(at-s.now) * time.Minute
	if f.closed || f.next > s.now {
		return
	}
	if f.closed = left < TooLate || s.slot[f.slot] != nobody || f.offers >= OffersMost; f.closed {
		return
	}
	if wake := s.quiet(); wake > s.now {
		f.next = wake
		s.push(event{at: wake, kind: offers, who: id})
		return
	}
	yes := 0
	for _, y := range s.yes[max(0, len(s.yes)-200):] {
		if y {
			yes++
		}
	}
	n := BatchSize(Acceptance(yes, min(200, len(s.yes))), left, f.offers)
	f.next = s.now + mins(LookAgain)
	until := s.now + mins(min(AnswerWithin(left), left-TooLate/2))
	for turn := 0; turn < Turns && n > 0; turn++ {
		for _, who := range s.live {
			if n == 0 {
				break
			}
			p := &s.who[who]
			if Turn(p.silent) != turn || p.slot == nobody || p.offer || f.asked[who] || at-s.now < p.notice || s.begins(p.slot)-at < mins(Sooner) {
				continue
			}
			n--
			s.ask(id, who, until)
		}
	}
	s.push(event{at: f.next, kind: offers, who: id})
}

// ask offers a freed time to one person. It is kept for those who are asked until their answer is due.
func (s *sim) ask(id, who, until int) {
	f, p := &s.times[id], &s.who[who]
	f.asked[who], p.offer = true, true
	f.offers++
	f.open++
	f.next, s.kept[f.slot] = until, until
	s.Offers++
	reply, says := until+1, false // nothing is heard
	if s.u(uint64(who), 0, 'v') < s.Answers {
		says = s.u(uint64(who), f.slot, 'f') < s.Fits
		reply = s.now + s.delay(who, f.slot, 'd')
	}
	if reply > until {
		s.push(event{at: until, kind: replies, who: who, what: -id - 1})
	}
	if says || reply <= until {
		s.push(event{at: reply, kind: replies, who: who, what: id, yes: says})
	}
}

// quiet answers when people wake, if they are asleep.
func (s *sim) quiet() int {
	switch t := s.now % day; {
	case t >= s.QuietFrom:
		return s.now - t + day + s.QuietTo
	case t < s.QuietTo:
		return s.now - t + s.QuietTo
	}
	return s.now
}

// reply takes what a person says to an offer; one below 0 says that she has said nothing in time.
func (s *sim) reply(who, id int, yes bool) {
	p := &s.who[who]
	if id < 0 {
		f := &s.times[-id-1]
		if f.asked[who] {
			p.offer = false
			p.silent++
			f.open--
			s.yes = append(s.yes, false)
		}
		return
	}
	p.silent = 0
	f := &s.times[id]
	late := s.now > f.next && !p.offer
	if !late {
		p.offer = false
		f.open--
	}
	at := s.begins(f.slot)
	switch {
	case !yes:
		if !late {
			s.yes = append(s.yes, false)
		}
		if f.open == 0 && !f.closed {
			f.next = s.now
			s.push(event{at: s.now, kind: offers, who: id})
		}
	case s.slot[f.slot] != nobody || at <= s.now || p.slot == nobody || s.begins(p.slot)-at < mins(Sooner):
		s.Gone++
		f.closed = true
	default:
		s.giveBack(who)
		f = &s.times[id]
		f.closed = true
		s.ByList++
		s.yes = append(s.yes, true)
		s.book(who, f.slot, false)
	}
}

// closeDay holds the day's visits by the minute, each clinician for herself.
func (s *sim) closeDay(d int) {
	s.live = slices.DeleteFunc(s.live, func(w int) bool { return s.who[w].done })
	if d >= s.World.Days {
		return
	}
	for c := range s.Clinicians {
		var sits []Sitting
		for i := range s.Slots {
			slot := s.at(d*s.Clinicians+c, i)
			for k, who := range []int{s.slot[slot], s.extra[slot]} {
				if who == nobody {
					continue
				}
				p := &s.who[who]
				if p.misses {
					s.NoShows++
					continue
				}
				s.Visits++
				s.Extra += k
				due := float64(i * s.SlotMin)
				sits = append(sits, Sitting{Due: due, Comes: due - s.EarlyMean + s.EarlySD*s.normal(uint64(who), p.attempt, 'p'), Takes: s.takes(who, p.attempt)})
			}
		}
		wait, end := Hold(sits)
		s.Wait += wait
		s.Overtime += max(0, end-float64(s.Slots*s.SlotMin))
		s.Shifts++
	}
}
