package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/stat"
	"doorstep/internal/store"
	onsite "doorstep/internal/waiting"
)

func (s *server) waitingRoutes() {
	post(s, "check-in", "/patients/{id}/check-in", "Says that a person is there for a visit. Done twice, it is done once; where she waits can be said again.", http.StatusOK, s.checkIn)
	get(s, "patient-stay", "/patients/{id}/stay", "A person's wait: the range that she was told, and when it is looked at again. 404 when she is not there.", s.patientStay)
	get(s, "waiting", "/waiting", "The board of a place: who goes in next, who is in, who is still to come. Staff only.", s.waitingBoard)
	post(s, "change-stay", "/waiting/{stay}/{act}", "call, enter, begin, finish, leave, back, rush. Staff only.", http.StatusOK, s.changeStay)
	get(s, "waiting-minutes", "/waiting-minutes", "Minutes on site, waiting, in a room and with a person, each with n and a 95 % interval. Staff and leaders.", s.waitingMinutes)
}

// stay is one person's time on site.
type stay struct {
	ID      onsite.ID    `json:"id"`
	Patient person.ID    `json:"patient"`
	Visit   string       `json:"visit,omitempty"`
	Place   string       `json:"place,omitempty"`
	Kind    onsite.Kind  `json:"kind" enum:"booked,walkin,urgent"`
	State   onsite.State `json:"state" enum:"waiting,called,room,with,done,left,lapsed"`
	Waits   onsite.Spot  `json:"waits" enum:"here,car,home"`
	Away    int          `json:"away_minutes,omitempty"`
	Room    string       `json:"room,omitempty"`
	Arrived time.Time    `json:"arrived"`
	Begun   time.Time    `json:"begun,omitzero"`
	Ended   time.Time    `json:"ended,omitzero"`
	From    time.Time    `json:"from,omitzero" doc:"The range that was told last holds eight waits in ten."`
	To      time.Time    `json:"to,omitzero"`
	Told    time.Time    `json:"told,omitzero"`
	Next    time.Time    `json:"next_update,omitzero"`
	Before  int          `json:"before" doc:"People who are there and go before her."`
}

func stayOf(x onsite.Stay) stay {
	return stay{x.ID, x.Patient, x.Visit, x.Place, x.Kind, x.State, x.Waits, x.Away, x.Room, x.Arrived, x.Begun, x.Ended, x.Told.From, x.Told.To, x.Told.At, x.Told.Next, x.Told.Before}
}

func (s *server) checkIn(ctx context.Context, c *caller, in *struct {
	ID person.ID `path:"id"`
	Write
	Body struct {
		Visit string      `json:"visit"`
		Waits onsite.Spot `json:"waits,omitempty" enum:"here,car,home"`
		Away  int         `json:"away_minutes,omitempty"`
	}
}) (stay, error) {
	p, err := s.enter(ctx, c, person.Act, in.ID, "check in")
	if err != nil {
		return stay{}, err
	}
	by := onsite.ByPage
	if c.Role.Staff() {
		by = onsite.ByDesk
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (stay, error) {
		v, err := s.Waiting.Visit(tx, c.Org, in.Body.Visit)
		if err == nil && v.Patient != p.ID {
			err = fault.NotFoundf("There is no such appointment.")
		}
		if err != nil {
			return stay{}, err
		}
		x, err := s.Waiting.CheckInTx(tx, c.Viewer, c.Org, v.ID, onsite.Arrival{By: by, Waits: in.Body.Waits, Away: in.Body.Away})
		return stayOf(x), err
	})
}

func (s *server) patientStay(ctx context.Context, c *caller, in *struct {
	ID person.ID `path:"id"`
}) (out stay, err error) {
	p, err := s.enter(ctx, c, person.See, in.ID, "waiting")
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		x, ok, err := s.Waiting.Current(tx, c.Org, p.ID)
		if err == nil && !ok {
			err = fault.NotFoundf("There is no such stay.")
		}
		out = stayOf(x)
		return err
	})
	return out, err
}

type dueVisit struct {
	Visit   string    `json:"visit"`
	Patient person.ID `json:"patient"`
	Start   time.Time `json:"start"`
	From    time.Time `json:"from,omitzero" doc:"When she will be seen, as it looks now."`
	To      time.Time `json:"to,omitzero"`
	Leave   time.Time `json:"leave,omitzero" doc:"When to leave home for that."`
	Told    time.Time `json:"told,omitzero" doc:"When she was last told of a delay."`
}

type board struct {
	Waiting []stay        `json:"waiting" doc:"Who goes in next first."`
	In      []stay        `json:"in"`
	Due     []dueVisit    `json:"due"`
	Rules   []onsite.Rule `json:"rules" doc:"Who goes first."`
	Hidden  int           `json:"hidden" doc:"People of other teams."`
}

func (s *server) waitingBoard(ctx context.Context, c *caller, in *struct {
	Place string `query:"place" maxLength:"60" doc:"Left out: the waiting room of visits by video."`
}) (out board, err error) {
	if err := staffOnly(c); err != nil {
		return out, err
	}
	out = board{Waiting: []stay{}, In: []stay{}, Due: []dueVisit{}}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		b, hidden, err := s.Waiting.Board(tx, c.Viewer, in.Place)
		if err != nil {
			return err
		}
		for _, x := range b.Waiting {
			out.Waiting = append(out.Waiting, stayOf(x))
		}
		for _, x := range b.In {
			out.In = append(out.In, stayOf(x))
		}
		for _, o := range b.Due {
			out.Due = append(out.Due, dueVisit{o.ID, o.Patient, o.Start, o.From, o.To, o.Leave, o.Late.At})
		}
		out.Rules, out.Hidden = b.Rules, hidden
		return nil
	})
	return out, err
}

func (s *server) changeStay(ctx context.Context, c *caller, in *struct {
	ID  onsite.ID `path:"stay"`
	Act string    `path:"act" enum:"call,enter,begin,finish,leave,back,rush"`
	Write
	Body struct {
		Room   string `json:"room,omitempty" maxLength:"300"`
		Who    string `json:"who,omitempty" doc:"The clinician who begins, where it was open."`
		Reason string `json:"reason,omitempty" maxLength:"300" doc:"Of rush."`
	}
}) (stay, error) {
	x, err := s.Waiting.Do(ctx, c.Viewer, in.ID, onsite.Act(in.Act), onsite.Detail{Room: in.Body.Room, Who: in.Body.Who, Reason: in.Body.Reason})
	return stayOf(x), err
}

type minutesOf struct {
	Name   string   `json:"name" enum:"onsite,wait,room,person"`
	N      int      `json:"n"`
	Mean   *float64 `json:"mean,omitempty" doc:"Minutes."`
	Low    *float64 `json:"low,omitempty" doc:"Of the 95 % interval of the mean."`
	High   *float64 `json:"high,omitempty"`
	Median *float64 `json:"median,omitempty"`
	P90    *float64 `json:"p90,omitempty"`
}

type shareOf struct {
	N     int      `json:"n"`
	Share *float64 `json:"share,omitempty"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
}

type minutesList struct {
	Items []minutesOf `json:"items"`
	Right shareOf     `json:"ranges_right" doc:"How often the range said at check-in was right: it should be 0.8."`
	Gone  int         `json:"left_unseen"`
}

// finite leaves out what is not known.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func shareOver(i stat.Interval) shareOf {
	if i.N == 0 {
		return shareOf{}
	}
	return shareOf{i.N, finite(i.Value), finite(i.Low), finite(i.High)}
}

func (s *server) waitingMinutes(ctx context.Context, c *caller, in *struct {
	Place string `query:"place" maxLength:"60" doc:"Left out: all places, and visits by video."`
	Span
}) (out minutesList, err error) {
	if !c.Role.Staff() && c.Role != person.Leader {
		return out, fault.Deniedf("This is for the staff of the clinic.")
	}
	now := s.Clock.Now()
	from, to, err := in.Span.read(time.UTC, now.AddDate(0, 0, -28), now)
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		list, held, err := s.Waiting.Measures(tx, c.Org, in.Place, from, to)
		out = minutesList{Items: []minutesOf{}, Right: shareOver(held.Share), Gone: held.Gone}
		for _, m := range list {
			out.Items = append(out.Items, minutesOf{m.Name, m.Mean.N, finite(m.Mean.Value), finite(m.Mean.Low), finite(m.Mean.High), finite(m.Median), finite(m.P90)})
		}
		return err
	})
	return out, err
}
