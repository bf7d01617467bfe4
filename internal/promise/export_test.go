package promise

// MoveTogether says from how many rows on a batch is moved as a stretch, so that a few rows will do.
func (s *Service) MoveTogether(from int) { s.together = from }
