package person

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"doorstep/internal/clock"
	"doorstep/internal/store"
)

// Recipient is what is needed to write to a person.
type Recipient struct {
	Person
	Contacts []Contact // the preferred first
	Shared   []bool    // by contact: somebody else has the same address
}

// denseFrom is from how many people of a shard on a range is read instead of one after the other, as long as it holds at
// most denseMost people and addresses for each that is asked for.
const (
	denseFrom = 100
	denseMost = 4
)

// separator parts the texts of one column.
const separator = "\x1f"

// errSparse says that a range holds too many others, or a text that cannot be taken apart: people are then read one by one.
var errSparse = errors.New("not a dense range")

// Recipients answers many people of an organization at once, with their addresses, in few statements per shard. People who do
// not exist are left out; Routine, Record and Teams are not filled.
func (s *Service) Recipients(tx *store.Tx, org OrgID, ids []ID) (map[ID]*Recipient, error) {
	byShard := map[int][]ID{}
	for _, id := range ids {
		shard := Shard(id)
		byShard[shard] = append(byShard[shard], id)
	}
	out := make(map[ID]*Recipient, len(ids))
	for _, shard := range slices.Sorted(maps.Keys(byShard)) {
		list := byShard[shard]
		slices.Sort(list)
		list = slices.Compact(list)
		if len(list) >= denseFrom {
			err := s.recipientRange(tx, org, shard, list, out)
			if err == nil { // a database that sorts otherwise than we do may have put somebody outside the range
				list = slices.DeleteFunc(list, func(id ID) bool { return out[id] != nil })
			} else if !errors.Is(err, errSparse) {
				return nil, err
			}
		}
		if len(list) == 0 {
			continue
		}
		if err := s.recipientList(tx, org, shard, list, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// recipientList reads people one by one: a descent of each primary key for each.
func (s *Service) recipientList(tx *store.Tx, org OrgID, shard int, ids []ID, out map[ID]*Recipient) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	// CROSS JOIN keeps SQLite from starting at the wrong end.
	err = tx.Rows(`SELECT p.id, p.role, p.name, p.called, p.language, p.zone, p.quiet_from, p.quiet_to
		FROM `+tx.List("$3")+` l CROSS JOIN person p WHERE p.org = $1 AND p.shard = $2 AND p.id = l.value`,
		[]any{string(org), shard, string(list)}, func(scan func(...any) error) error {
			r := &Recipient{Person: Person{Org: org, Active: true}}
			err := scan(&r.ID, &r.Role, &r.Name, &r.Called, &r.Language, &r.Zone, &r.QuietFrom, &r.QuietTo)
			out[r.ID] = r
			return err
		})
	if err != nil {
		return err
	}
	return tx.Walk(contactSelect+` FROM `+tx.List("$3")+` l CROSS JOIN contact c WHERE c.org = $1 AND c.shard = $2 AND c.person = l.value`,
		[]any{string(org), shard, string(list)}, func(row store.Cells) error {
			addContact(row, out[ID(row.Text(0))])
			return nil
		})
}

// recipientRange reads people who lie close together, with everybody between them. Both tables lie in the order of the ids.
func (s *Service) recipientRange(tx *store.Tx, org OrgID, shard int, ids []ID, out map[ID]*Recipient) error {
	list := make([]Recipient, len(ids))
	contacts, shared := make([]Contact, len(ids)), make([]bool, len(ids))
	for i := range list { // most people have one address
		list[i].Contacts, list[i].Shared = contacts[i:i:i+1], shared[i:i:i+1]
	}
	at := 0
	// find answers the person of a row. Rows and ids are in the same order.
	find := func(id ID) *Recipient {
		for at < len(ids) && ids[at] < id {
			at++
		}
		if at < len(ids) && ids[at] == id {
			return &list[at]
		}
		return nil
	}
	args := []any{string(org), shard, string(ids[0]), string(ids[len(ids)-1]), denseMost * len(ids)}
	read := 0
	var text string
	var last Person
	err := tx.Walk(`SELECT id, concat_ws('`+separator+`', role, language, zone, quiet_from, quiet_to, called, name) FROM person
		WHERE org = $1 AND shard = $2 AND id >= $3 AND id <= $4 ORDER BY id LIMIT $5`, args, func(row store.Cells) error {
		read++
		id := ID(row.Text(0))
		r := find(id)
		if r == nil {
			return nil
		}
		if text != row.Text(1) {
			text = row.Text(1)
			f := strings.Split(text, separator)
			if len(f) != 7 { // somebody's name holds the separator
				return errSparse
			}
			from, err1 := strconv.Atoi(f[3])
			to, err2 := strconv.Atoi(f[4])
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			last = Person{Org: org, Active: true, Role: Role(f[0]), Language: f[1], Zone: f[2], QuietFrom: clock.Wall(from), QuietTo: clock.Wall(to), Called: f[5], Name: f[6]}
		}
		r.Person = last
		r.ID = id
		out[id] = r
		return nil
	})
	if err == nil && read == args[4] {
		err = errSparse
	}
	if err != nil {
		return err
	}
	read, at = 0, 0
	err = tx.Walk(contactSelect+` FROM contact c WHERE c.org = $1 AND c.shard = $2 AND c.person >= $3 AND c.person <= $4 ORDER BY c.person LIMIT $5`, args,
		func(row store.Cells) error {
			read++
			addContact(row, find(ID(row.Text(0))))
			return nil
		})
	if err == nil && read == args[4] {
		err = errSparse
	}
	return err
}

const contactSelect = `SELECT c.person, c.rank, c.channel, c.address, c.consent, c.shared`

// addContact puts an address in its place among its owner's; nil: nobody who was asked for.
func addContact(row store.Cells, r *Recipient) {
	if r == nil || r.ID == "" {
		return
	}
	c := Contact{Person: r.ID, Rank: int(row.Int(1)), Channel: Channel(row.Text(2)), Address: row.Text(3), Consent: Consent(row.Text(4))}
	at, _ := slices.BinarySearchFunc(r.Contacts, c, func(a, b Contact) int { return a.Rank - b.Rank })
	r.Contacts = slices.Insert(r.Contacts, at, c)
	r.Shared = slices.Insert(r.Shared, at, row.Int(5) == 1)
}
