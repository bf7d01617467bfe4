package appointment

import (
	"strconv"
	"strings"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// hoursID names one of a resource's hours in the index.
func hoursID(resource string, i int) string { return resource + "\x1f" + strconv.Itoa(i) }

func resourceOf(id string) string {
	r, _, _ := strings.Cut(id, "\x1f")
	return r
}

// load brings an organization's shelf up to date: a resource whose version has moved on, or on which a hold has run out, is
// read again. One look at the versions is all that a search costs when nothing has changed.
func (s *Service) load(tx *store.Tx, org person.OrgID, now time.Time, days int) (*orgShelf, error) {
	s.shelf.mu.Lock()
	h := s.shelf.orgs[org]
	if h == nil {
		h = &orgShelf{}
		s.shelf.orgs[org] = h
	}
	s.shelf.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	need := slot.Span{From: now, To: now.AddDate(0, 0, days+2)}
	if h.ix == nil || need.From.Before(h.over.From) || h.over.To.Before(need.To) || need.From.Sub(h.over.From) > 3*24*time.Hour {
		h.over = slot.Span{From: now.Add(-24 * time.Hour), To: need.To.AddDate(0, 0, 3)}
		ix, err := slot.NewIndex(h.over)
		if err != nil {
			return nil, err
		}
		h.ix, h.known = ix, map[string]*onShelf{}
	}
	var stale []string
	err := tx.Rows("SELECT id, version FROM resource WHERE org = $1", []any{string(org)}, func(scan func(...any) error) error {
		var id string
		var version int64
		if err := scan(&id, &version); err != nil {
			return err
		}
		if had := h.known[id]; had == nil || had.Version != version || !had.expires.IsZero() && !now.Before(had.expires) {
			stale = append(stale, id)
		}
		return nil
	})
	if err != nil || len(stale) == 0 {
		return h, err
	}
	return h, h.reload(tx, org, stale, now)
}

// reload reads resources and what is taken of them.
func (h *orgShelf) reload(tx *store.Tx, org person.OrgID, ids []string, now time.Time) error {
	list := asJSON(ids)
	resources, err := store.All(tx, resourceSelect+" WHERE org = $1 AND id IN (SELECT value FROM "+tx.List("$2")+" ids)", []any{string(org), list}, scanResource)
	if err != nil {
		return err
	}
	busy, expires := map[string][]slot.Span{}, map[string]time.Time{}
	err = tx.Rows(`SELECT c.resource, c.from_at, c.until_at, c.hold_until FROM claim c WHERE c.org = $1 AND c.resource IN (SELECT value FROM `+tx.List("$2")+` ids)
			AND c.from_at < $3 AND c.until_at > $4 AND (c.hold_until = 0 OR c.hold_until > $5)
		UNION ALL SELECT b.resource, b.from_at, b.until_at, 0 FROM busy b WHERE b.org = $1 AND b.resource IN (SELECT value FROM `+tx.List("$2")+` ids)
			AND b.from_at < $3 AND b.until_at > $4`,
		[]any{string(org), list, store.Micros(h.over.To), store.Micros(h.over.From), store.Micros(now)}, func(scan func(...any) error) error {
			var id string
			var from, until, hold int64
			if err := scan(&id, &from, &until, &hold); err != nil {
				return err
			}
			busy[id] = append(busy[id], slot.Span{From: store.Time(from), To: store.Time(until)})
			if at := store.Time(hold); hold > 0 && (expires[id].IsZero() || at.Before(expires[id])) {
				expires[id] = at
			}
			return nil
		})
	if err != nil {
		return err
	}
	for _, r := range resources {
		x := &onShelf{Resource: r, expires: expires[r.ID]}
		for i, hours := range r.Hours {
			handle, err := h.ix.Set(slot.Resource{ID: hoursID(r.ID, i), Calendar: hours.Calendar, Busy: busy[r.ID]})
			if err != nil {
				return err
			}
			x.handles = append(x.handles, handle)
		}
		h.known[r.ID] = x
	}
	return nil
}
