package person

import "doorstep/internal/store"

// Forget removes an address that has ceased to exist or is no longer wanted, consent and all. A telephone is never forgotten: its STOP must
// be remembered.
func (s *Service) Forget(tx *store.Tx, org OrgID, id ID, ch Channel, address string) error {
	_, err := tx.Exec("DELETE FROM contact WHERE org = $1 AND shard = $2 AND person = $3 AND channel = $4 AND address = $5",
		string(org), Shard(id), string(id), string(ch), address)
	return err
}

// ForgetChannel removes all of a person's addresses of a channel.
func (s *Service) ForgetChannel(tx *store.Tx, org OrgID, id ID, ch Channel) error {
	_, err := tx.Exec("DELETE FROM contact WHERE org = $1 AND shard = $2 AND person = $3 AND channel = $4", string(org), Shard(id), string(id), string(ch))
	return err
}
