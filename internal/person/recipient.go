package person

import (
	"encoding/json"
	"maps"
	"slices"

	"doorstep/internal/clock"
	"doorstep/internal/store"
)

// Recipient is what is needed to write to a person.
type Recipient struct {
	Person
	Contacts []Contact // the preferred first
	Shared   []bool    // by contact: somebody else has the same address
}

// Recipients answers many people of an organization at once, with their addresses, in one statement per shard. People who do not exist
// are left out; Routine and Teams are not filled.
func (s *Service) Recipients(tx *store.Tx, org OrgID, ids []ID) (map[ID]*Recipient, error) {
	byShard := map[int][]ID{}
	for _, id := range ids {
		byShard[Shard(id)] = append(byShard[Shard(id)], id)
	}
	out := make(map[ID]*Recipient, len(ids))
	for _, shard := range slices.Sorted(maps.Keys(byShard)) {
		if err := s.recipients(tx, org, shard, byShard[shard], out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Service) recipients(tx *store.Tx, org OrgID, shard int, ids []ID, out map[ID]*Recipient) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	// CROSS JOIN keeps SQLite from starting at the wrong end: one descent of each primary key per id.
	return tx.Rows(`SELECT p.id, p.role, p.name, p.called, p.language, p.zone, p.quiet_from, p.quiet_to, c.rank, COALESCE(c.channel, ''), COALESCE(c.address, ''),
		COALESCE(c.consent, ''), EXISTS (SELECT 1 FROM contact x WHERE x.org = c.org AND x.channel = c.channel AND x.address = c.address AND x.person <> c.person)
		FROM `+tx.List("$3")+` l CROSS JOIN person p LEFT JOIN contact c ON c.org = p.org AND c.shard = p.shard AND c.person = p.id
		WHERE p.org = $1 AND p.shard = $2 AND p.id = l.value`,
		[]any{string(org), shard, string(list)}, func(scan func(...any) error) error {
			var r Recipient
			var c Contact
			var rank *int
			var sharing bool
			var from, to int
			if err := scan(&r.ID, &r.Role, &r.Name, &r.Called, &r.Language, &r.Zone, &from, &to, &rank, &c.Channel, &c.Address, &c.Consent, &sharing); err != nil {
				return err
			}
			have := out[r.ID]
			if have == nil {
				r.Org, r.Active, r.QuietFrom, r.QuietTo = org, true, clock.Wall(from), clock.Wall(to)
				have = &r
				out[r.ID] = have
			}
			if rank == nil {
				return nil
			}
			c.Person, c.Rank = r.ID, *rank
			at, _ := slices.BinarySearchFunc(have.Contacts, c, func(a, b Contact) int { return a.Rank - b.Rank })
			have.Contacts = slices.Insert(have.Contacts, at, c)
			have.Shared = slices.Insert(have.Shared, at, sharing)
			return nil
		})
}
